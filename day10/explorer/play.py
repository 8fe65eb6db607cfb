"""Two games on a terminal: predict each value, and choose which thread goes next.
终端上的两个小游戏：预测每一步读写的值；自己当调度器，决定下一步轮到哪个线程。"""

from explorer import picture, student
from explorer.replay import Replay

SECONDS = 5  # time limit for one run of the threads, in seconds


def ask(prompt):
    """Print a prompt; return the line that was typed, or None at the end of the input."""
    print(prompt, end="", flush=True)
    try:
        return input().strip()
    except EOFError:
        print()
        return None


def predict(replay, file):
    """Show a schedule, and ask the user for each value before showing it.

    Return how many answers were right, and how many questions were asked.
    """
    names = [name for name, _ in replay.named]
    rows = picture.Picture(names, file, replay.steps)
    right = asked = 0
    is_asking = True
    print("\n".join(rows.head()))
    for step, index in zip(replay.steps, replay.schedule):
        if is_asking and isinstance(step.value, str) and step.value:
            print("\n".join(rows.step(step, index, "?")))
            answer = ask("value · 值? ")
            is_asking = answer is not None
            asked += is_asking
            right += answer == step.value
            if answer != step.value:
                print(f"    the value is {step.value} · 值是 {step.value}")
        else:
            print("\n".join(rows.step(step, index)))
    print("\n".join(picture.finish(replay)))
    print(f"{right} of {asked} predictions were right · 预测对了 {right} 个，共 {asked} 个")
    return right, asked


def schedule_yourself(threads, setup, check, file):
    """Let the user choose each next thread; u undoes the last step, r restarts, q or the end of the
    input quits. Return how the run ended, or None if it has not."""
    names, path = [one if isinstance(one, str) else one.__name__ for one in threads], []
    print(
        "You are the scheduler · 你是调度器: "
        + ", ".join(names)
        + "; u undo 撤销, r restart 重来, q quit 退出"
    )
    shown = 0
    while True:
        replay = student.watched(lambda: Replay(threads, setup, check, path), SECONDS, file)
        rows = picture.Picture(names, file, replay.steps)
        if not shown:
            print("\n".join(rows.head()))
        for number, (step, index) in enumerate(zip(replay.steps, path)):
            lines = rows.step(step, index)
            if number >= shown:
                print("\n".join(lines))
        shown = len(path)
        if replay.ready:
            for index, step in replay.ready.items():
                print(f"  {names[index]}: line {step.line}, {picture.did(step, '')}")
            answer = ask("next · 下一步? ")
        else:
            print("\n".join(picture.finish(replay)))
            answer = ask("u, r or q · u、r 或 q? ")
        if answer in (None, "q"):
            return replay.ending
        if answer in ("u", "r"):
            path, shown = path[:-1] if answer == "u" else [], 0
        elif answer in names and names.index(answer) in (replay.ready or ()):
            path = [*path, names.index(answer)]
        else:
            print(
                f"  {answer} cannot go on · {answer} 现在不能执行"
                if answer in names
                else "  type a thread's name, u, r or q · 请输入线程名、u、r 或 q"
            )
