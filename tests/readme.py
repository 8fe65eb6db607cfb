"""Bring the transcripts of the READMEs up to date: run what they show, and rewrite those that are no longer true.

Run:    make readme

A transcript that still matches, as the tests see it, is left as it is. In one that does not, the lines that have not changed
keep their placeholders, such as <name>.
"""
import re
import sys

import course
from harness import Failure


def main():
    rewritten = 0
    for page in sorted({transcript.page for transcript in course.transcripts()}):
        try:
            for transcript in update(page):
                print(f"{page}:{transcript.line}: rewritten: {transcript.command}")
                rewritten += 1
        except Failure as error:
            sys.exit(f"{page}: {error}")
    print(f"{rewritten} rewritten")


def update(page):
    """Rewrite the transcripts of a page that are no longer true; return them, the last one first."""
    path = course.ROOT / page
    lines = path.read_text(encoding="utf-8").split("\n")
    rewritten = []
    for transcript in reversed([one for one in course.transcripts() if one.page == page]):     # so that line numbers stay true
        markers = transcript.markers.split()
        if "skip" in markers:
            continue
        printed = course.output_of(transcript.command.split()[1]).splitlines()
        if course.compare(transcript.output, printed, "unordered" in markers, "masked" in markers):
            start = transcript.line + 1            # behind the fence and the command
            lines[start:start + len(transcript.output)] = merge(transcript.output, printed, "masked" in markers)
            rewritten.append(transcript)
    if rewritten:
        path.write_text("\n".join(lines), encoding="utf-8")
    return rewritten


def merge(template, printed, masked):
    """What was printed, with a line of the template in place of each line that it matches."""
    unused, merged = list(template), []
    for line in printed:
        old = next((one for one in unused if re.fullmatch(course.line_pattern(one, masked), line)), line)
        if old in unused:
            unused.remove(old)
        merged.append(old)
    return merged


if __name__ == "__main__":
    main()
