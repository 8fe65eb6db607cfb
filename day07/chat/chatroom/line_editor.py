"""Remove the half-typed line from the screen, and draw it again.
还没输完的那一行：从屏幕上擦掉，再重新画出来

input() uses the readline library to edit the line. Readline knows how many rows of the screen the
line takes and where the cursor is. Some readline functions clear and draw the line (see "Redisplay"
in the Readline manual). Python's readline module offers only redisplay(), which does not draw what
readline believes to be on the screen already. So we call the other functions through ctypes.

Some Pythons have libedit instead of GNU readline, or neither. Without GNU readline, this module
clears only the cursor's row, and draws the line with the cursor at the end. Without any readline
module, it draws only the prompt.
"""
import ctypes

RL_STATE_CALLBACK = 0x80000     # from <readline/readline.h>: a line is being read
CLEAR_ROW = "\r\x1b[K"

try:
    import readline
except ImportError:
    readline = None
try:
    gnu = ctypes.CDLL(getattr(readline, "__file__", None))
    state = ctypes.c_ulong.in_dll(gnu, "rl_readline_state")
    # rl_clear_visible_line needs Readline 7.0 or newer.
    gnu.rl_clear_visible_line       # noqa: B018
except (AttributeError, TypeError, ValueError, OSError):
    gnu = None


def is_typing():
    """Return True if input() is waiting for the user, or if we cannot know (no GNU readline)."""
    return gnu is None or bool(state.value & RL_STATE_CALLBACK)


def hide():
    """Clear the prompt and the typed text from the screen."""
    if gnu and is_typing():
        gnu.rl_clear_visible_line()
        # Readline writes to the C library's stdout buffer, not to Python's: flush the C buffer.
        ctypes.CDLL(None).fflush(None)
    print(end=CLEAR_ROW, flush=True)


def draw(prompt):
    """Draw the prompt and the typed text again, with the cursor where it was in the text."""
    if gnu is None:
        typed = readline.get_line_buffer() if readline else ""
        print(end=prompt + typed, flush=True)
    elif is_typing():
        gnu.rl_forced_update_display()


def resume(prompt):
    """After Ctrl-Z and fg: restore readline's terminal settings, and draw the line again."""
    if gnu and is_typing():
        gnu.rl_deprep_terminal()
        gnu.rl_prep_terminal(1)
    draw(prompt)
