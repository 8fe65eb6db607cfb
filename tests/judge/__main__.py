"""Judge files: each line of stdin is an exercise and a path; print a line of JSON for each file.

Run:    cd tests; echo day10/transfer exercises/day10/transfer/solution.py | python -m judge
"""
import json
import os
import sys

from judge.apart import judge_all
from judge.exercises import find


def main():
    jobs = [line.split(maxsplit=1) for line in sys.stdin.read().splitlines()]
    for verdict in judge_all([(find(name), os.path.abspath(path)) for name, path in jobs]):
        print(json.dumps(verdict.as_data()), flush=True)


if __name__ == "__main__":
    main()
