"""Turn the result of an exploration into data, for grading or for showing it in class.
把探索的结果变成数据，用于评分或课堂展示。"""

from explorer import picture


def as_data(exploration, replay, file):
    """Return an exploration as a dictionary of plain values. It is the same in every run if the
    exploration is complete.

    replay: the Replay of a wrong schedule with the fewest switches, or None. file: the student's
    file.
    """
    data = {
        "threads": exploration.threads,
        "schedules": exploration.schedules,
        "is_complete": exploration.is_complete,
        "total": exploration.total,
        "outcomes": [
            {
                "kind": one.kind,
                "text": one.text,
                "count": one.count,
                "switches": one.switches,
                "schedule": [exploration.threads[index] for index in one.schedule],
            }
            for one in exploration.outcomes
        ],
    }
    data["losing"] = None
    if replay:
        data["losing"] = {
            "kind": replay.ending[0],
            "text": replay.ending[1],
            "waits": replay.blocked,
            "steps": [
                {
                    "thread": step.thread,
                    "line": step.line,
                    "source": picture.source(file, step.line),
                    "does": picture.did(step),
                    "shared": step.after,
                }
                for step in replay.steps
            ],
        }
    return data
