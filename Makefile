# make, or make help: what there is.  Everything sets up what it needs in .venv by itself.

PYTHON ?= python3
VENV   ?= .venv
COURSE  = $(VENV)/bin/python

.PHONY: help demo test race bench-ftp clean packages

help:
	@echo "make demo          walk through the course, script by script; make demo DAY=07 for one day"
	@echo "make test          run the tests; make test ARGS='-k chat' for some of them"
	@echo "make race          all server models under the same load; make race ARGS='--svg race.svg' for a picture"
	@echo "make bench-ftp     the FTP server beside vsftpd and pyftpdlib, where they are installed"
	@echo "make clean         remove what these commands have made"
	@echo "PYTHON=python3.13  after any of them: use that Python (3.10 or newer)"

demo: packages
	@"$(COURSE)" tests/tour.py $(DAY)

test: packages
	@"$(COURSE)" tests/run.py $(ARGS)

race: packages
	@"$(COURSE)" day12/server_race.py $(ARGS)

bench-ftp: packages
	@"$(COURSE)" tests/bench_ftp.py $(ARGS)

clean:
	rm -rf .venv* .pytest_cache
	find day?? tests -name __pycache__ -prune -exec rm -rf {} +

packages:
	@"$(PYTHON)" tests/packages.py "$(VENV)"
