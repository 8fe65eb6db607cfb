"""The half-typed line: removed from the screen and drawn again.
还没输完的那一行：从屏幕上擦掉，再重新画出来

input() lets readline edit the line. Readline knows how many rows of the screen the line takes and
where the cursor is. It has functions that clear and draw the line (manual: "Redisplay"). Python's
readline module does not offer these, so we call them through ctypes.

A Python without GNU readline has libedit or nothing. Then only the cursor's row is cleared, and the
line is drawn with the cursor at its end.
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
    # This function needs Readline 7.0 or newer.
    gnu.rl_clear_visible_line       # noqa: B018
except (AttributeError, TypeError, ValueError, OSError):
    gnu = None


def is_typing():
    """Whether a prompt is on the screen, waiting for the user."""
    return gnu is None or bool(state.value & RL_STATE_CALLBACK)


def hide():
    """Clear all rows of the screen that the prompt and the typed text take."""
    if gnu and is_typing():
        gnu.rl_clear_visible_line()
        # Readline writes to C's buffer of stdout, not to Python's.
        ctypes.CDLL(None).fflush(None)
    print(end=CLEAR_ROW, flush=True)


def draw(prompt):
    """Draw the prompt and the typed text at the cursor, and put the cursor back into the text."""
    if gnu is None:
        typed = readline.get_line_buffer() if readline else ""
        print(end=prompt + typed, flush=True)
    elif is_typing():
        gnu.rl_forced_update_display()


def resume(prompt):
    """After Ctrl-Z and fg: give the terminal readline's settings again, and draw the line."""
    if gnu and is_typing():
        gnu.rl_deprep_terminal()
        gnu.rl_prep_terminal(1)
    draw(prompt)
