"""Run a script as `python script` does, but with another start method: start_with.py METHOD SCRIPT"""
import multiprocessing
import os
import runpy
import sys


def run_script(script):
    sys.argv = [script]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    method, script = sys.argv[1:]
    multiprocessing.set_start_method(method)
    run_script(script)
