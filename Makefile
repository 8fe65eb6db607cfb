# make, or make help: list the commands.

PYTHON ?= python3
VENV   ?= .venv
# packages.py runs each script with the Python of .venv. The word before the script's name says whether the script needs .venv.
# needed: make .venv; if that fails, run nothing. wanted: make .venv; if that fails, run the script without the packages.
# unneeded: use .venv only if it is there already.
# exec replaces the shell. Otherwise the shell would remain between make and the script, and Ctrl-C would look like a failure.
FOUND   = command -v "$(PYTHON)" >/dev/null || { echo "make: cannot find $(PYTHON): $(INSTALL)" >&2; exit 1; }
INSTALL = sudo apt install python3 python3-venv, or make PYTHON=another
RUN     = $(FOUND); exec "$(PYTHON)" tests/packages.py "$(VENV)"

.PHONY: help demo serve class race practice test bench-ftp bench-http readme packages clean

help:
	@echo 'make demo           walk through the scripts, one by one · 逐个看脚本'
	@echo '                    only some: DAY="07 08" or SCRIPT=day10/race.py'
	@echo 'make serve          serve the course pages with our own HTTP server · 课程网页'
	@echo "                    another port, two processes: ARGS='8080 -w 2'"
	@echo 'make class          run the scripts in the browser, live · 浏览器里的课堂'
	@echo 'make race           compare all servers under the same load · 服务器模型同场比较'
	@echo "                    with a picture: ARGS='--svg race.svg'"
	@echo 'make practice       fix broken programs; a judge gives hints · 改错练习'
	@echo '                    EX=day10/transfer, ALL=1 or RESET=day10/transfer'
	@echo "make test           run the tests · 运行测试; some of them: ARGS='-k chat'"
	@echo 'make bench-http     compare the HTTP server with nginx and others, if installed'
	@echo 'make bench-ftp      compare the FTP server with vsftpd and others, if installed'
	@echo 'make readme         update the lists of scripts and the output in the READMEs'
	@echo 'make packages       only set up .venv: gevent, greenlet, pytest'
	@echo 'make clean          remove .venv and the caches that these commands have made'
	@echo 'PYTHON=python3.13   add this to a command to use that Python (3.10 or newer)'

# Use a variable only if it is given on make's command line: the environment can have a variable of the same name.
given   = $(if $(filter command,$(firstword $(origin $(1)))),$($(1)))

# Only day 12 has scripts that need packages. If no day is named, make demo shows day 12 too.
demo:
	@$(RUN) $(if $(findstring 12,$(or $(call given,DAY)$(call given,SCRIPT),12)),wanted,unneeded) tests/tour.py $(call given,DAY) $(call given,SCRIPT)

serve:
	@$(RUN) unneeded day12/http_server.py $(ARGS)

class:
	@$(RUN) unneeded day12/classroom.py $(ARGS)

race:
	@$(RUN) wanted day12/server_race.py $(ARGS)

practice:
	@$(RUN) unneeded tests/practice.py $(call given,EX) $(if $(call given,ALL),--all) $(addprefix --reset=,$(call given,RESET))

test:
	@$(RUN) needed tests/run.py $(ARGS)

bench-http:
	@$(RUN) unneeded tests/bench_http.py $(ARGS)

bench-ftp:
	@$(RUN) unneeded tests/bench_ftp.py $(ARGS)

readme:
	@$(RUN) needed tests/readme.py

packages:
	@$(RUN)

clean:
	rm -rf .venv* .pytest_cache
	find day?? tests -name __pycache__ -prune -exec rm -rf {} +
