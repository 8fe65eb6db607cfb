# make, or make help: what there is.

PYTHON ?= python3
VENV   ?= .venv
# A script is run with the Python of .venv. Before that, packages.py makes .venv: with "needed", nothing runs without it; with
# "wanted", the script leaves out what lacks its package; with "unneeded", .venv is used only if it is there.
# Without exec, a shell would stand between make and the script, and Ctrl-C would look like a failure.
FOUND   = command -v "$(PYTHON)" >/dev/null || { echo "make: there is no $(PYTHON): $(INSTALL)" >&2; exit 1; }
INSTALL = sudo apt install python3 python3-venv, or make PYTHON=another
RUN     = $(FOUND); exec "$(PYTHON)" tests/packages.py "$(VENV)"

.PHONY: help demo serve class race practice test bench-ftp bench-http readme packages clean

help:
	@echo 'make demo           walk through the scripts, one by one · 逐个看脚本'
	@echo '                    only some: DAY="07 08" or SCRIPT=day10/race.py'
	@echo 'make serve          the pages of the course on its own HTTP server · 课程网页'
	@echo "                    another port, two processes: ARGS='8080 -w 2'"
	@echo 'make class          the scripts in the browser, live · 浏览器里的课堂'
	@echo 'make race           all server models under the same load · 服务器模型同场比较'
	@echo "                    with a picture: ARGS='--svg race.svg'"
	@echo 'make practice       broken programs to mend, judged, with hints · 改错练习'
	@echo '                    EX=day10/transfer, ALL=1 or RESET=day10/transfer'
	@echo "make test           run the tests · 运行测试; some of them: ARGS='-k chat'"
	@echo 'make bench-http     the HTTP server beside nginx and others, if installed'
	@echo 'make bench-ftp      the FTP server beside vsftpd and pyftpdlib, if installed'
	@echo 'make readme         renew the lists of scripts and the output in the READMEs'
	@echo 'make packages       only set up .venv: gevent, greenlet, pytest'
	@echo 'make clean          remove what these commands have made'
	@echo 'PYTHON=python3.13   after any of them: use that Python (3.10 or newer)'

# A variable counts only if it is given to make itself: the environment may have one of the same name.
given   = $(if $(filter command,$(firstword $(origin $(1)))),$($(1)))

# Only day 12 has scripts that need packages. It is among the days when none is named.
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
