"""The pages: everything of the notes is on them, in both languages, and what they say of scripts, tests and commands is true.

That links resolve and transcripts are what their commands print is checked in test_course.py.
"""
import ast
import asyncio
import functools
import html
import multiprocessing
import os
import re
import select
import shlex
import socket
import stat
import sys
import threading
import time
from html.parser import HTMLParser

import course
import harness
import pytest
import readme
import tour
from harness import ROOT, TIMEOUT, Program, run, serve

DAYS = [f"day{number:02}" for number in range(7, 13)]
PAGES = ["README.md", *(f"{day}/README.md" for day in DAYS)]
CJK = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[A-Za-z]{2,}")
UPDATE, TRY, CHECK = "Where the notes need an update · 勘误", "Try it · 动手试试", "Check yourself · 自测"
INTERVIEW = "Interview questions · 面试题"
# Where an answer can be seen: a link to a script or a test, a manual page, an RFC or a PEP.
SOURCE = re.compile(r"\]\([^)]+\)|`man \d [\w.]+`|RFC \d+|PEP \d+")

# Every heading of the notes, in their order. What a page covers in its text has the phrase by which it does so.
HEADINGS = {
    "day07": [
        "多任务编程", ("意义", "**Why · 意义.**"), ("实现方案", "**Ways to do it · 实现方案.**"),
        ("进程（process）", "A **process** is"), "进程理论基础", "定义", "系统中如何产生一个进程", "进程基本概念", "进程状态",
        ("三态", "**三态**"), ("五态", "**五态**"), ("状态查看命令", "状态查看命令 `ps aux`"), "进程的运行特征", "面试要求",
        "基于fork的多进程编程", "fork使用", ("注意", "**Note · 注意**"), "进程相关函数",
        "孤儿和僵尸", ("孤儿进程", "**孤儿进程**"), ("僵尸进程", "**僵尸进程**"), "如何避免僵尸进程产生",
        ("使用wait函数处理子进程退出",) * 2, ("创建二级子进程处理僵尸",) * 2, ("通过信号处理子进程退出",) * 2,
        "群聊聊天室"],
    "day08": [
        "multiprocessing 模块创建进程", "进程创建方法", "流程特点", "基本接口使用", "注意", "进程对象属性",
        "自定义进程类", ("创建步骤", "**Steps · 创建步骤.**"), ("使用方法", "**Use · 使用方法.**"),
        "进程池实现", "必要性", "原理", "进程池实现"],
    "day09": [
        "进程间通信 (IPC)", ("必要性", "**Why · 必要性.**"), ("常用进程间通信方法",) * 2,
        "管道通信(Pipe)", ("通信原理", "**How it works · 通信原理.** A pipe has two ends"), ("实现方法", "`end1, end2 = Pipe(duplex=True)`"),
        "消息队列", ("通信原理", "**How it works · 通信原理.** A `Queue`"), ("实现方法", "`q = Queue(maxsize=0)`"),
        "共享内存", ("通信原理", "**How it works · 通信原理.** A piece of memory"), ("实现方法", "`obj = Value(ctype, data)`"),
        "信号量（信号灯集）", ("通信原理", "**How it works · 通信原理.** A semaphore is a number"), ("实现方法", "`sem = Semaphore(num)`"),
        "线程编程 (Thread)", "线程基本概念", ("什么是线程", "**What it is · 什么是线程.**"), ("线程特征", "**Its traits · 线程特征:**"),
        "threading模块创建线程", "线程对象属性",
        "自定义线程类", ("创建步骤", "**Steps · 创建步骤.**"), ("使用方法", "**Use · 使用方法.**")],
    "day10": [
        "同步互斥", "线程间通信方法", ("通信方法", "**Ways to communicate · 通信方法.**"), ("共享资源争夺",) * 2,
        ("同步互斥机制",) * 2, "线程同步互斥方法", "线程Event", "线程锁 Lock",
        "死锁及其处理", ("定义", "**What it is · 定义.**"), ("死锁产生条件",) * 2, ("死锁的产生原因",) * 2, ("如何避免死锁",) * 2,
        "python线程GIL", ("什么是GIL",) * 2, ("导致后果",) * 2, ("GIL问题建议",) * 2, ("结论", "**Conclusion · 结论.**"),
        "进程线程的区别联系", "区别联系", "使用场景", "要求",
        "并发网络通信模型", "常见网络模型", ("循环服务器模型", "loop · 循环服务器"), ("多进程/线程网络并发模型", "多进程/多线程"),
        ("IO并发模型", "IO multiplexing · IO并发"),
        "基于fork的多进程网络并发模型", ("实现步骤", "**Steps · 实现步骤** ([fork_server.py](fork_server.py))"),
        "基于threading的多线程网络并发", ("实现步骤", "**Steps · 实现步骤** ([thread_server.py](thread_server.py))")],
    "day11": [
        "ftp 文件服务器", "IO并发", "IO 分类",
        "阻塞IO", ("定义", "**Definition · 定义.** A blocking call"), ("效率", "这样的等待完全不占 CPU"), ("阻塞情况",) * 2,
        "非阻塞IO", ("定义", "**Definition · 定义.** A socket"), ("超时检测",) * 2,
        "IO多路复用", ("定义", "**Definition · 定义.** One call"), ("具体方案",) * 2,
        "select 方法", "select 实现tcp服务", "注意", "扩展: 位运算", ("运算符号", "operator · 运算符")],
    "day12": [
        "poll方法", "poll_server 步骤", "epoll方法", "使用方法", "特点", "协程技术",
        "基础概念", ("定义", "**Definition · 定义.**"), ("协程原理", "**How it works · 原理.**"), ("协程优缺点", "**For and against · 优缺点.**"),
        "扩展延伸@标准库协程的实现", "第三方协程模", "greenlet模块", "gevent模块", ("monkey脚本",) * 2,
        "HTTPServer v2.0", ("主要功能",) * 2, ("升级点",) * 2],
}
# What the notes ask at interviews, and where it is answered.
QUESTIONS = [
    ("day07", "什么是进程，进程和程序有什么区别"), ("day07", "进程有哪些状态，状态之间如何转化"),
    ("day10", "对进程线程怎么理解"), ("day10", "进程间通信知道哪些，有什么特点"), ("day10", "什么是同步互斥"),
    ("day10", "给一个情形"), ("day10", "僵尸进程的处理，GIL 问题，进程状态"),
]
# How many corrections of the notes a page has, at least.
CORRECTIONS = {"day07": 19, "day08": 12, "day09": 17, "day10": 15, "day11": 9, "day12": 19}
# Corrections of the notes that no script and no test shows, by the beginning of their row.
NOT_SHOWN = {
    "父子进程各有命令集", "每个进程ID不重复", "`ps -aux`", "除初始化进程都有父进程", "I 有多线程的",
    "可能会导致系统资源利用率", "不使用c作为解释器", "只能使用已有的异步库", "`sudo pip3 install`",
}
DIAGRAMS = {"flowchart", "sequenceDiagram"}
# Commands that are not the course's own.
OTHERS = {".", "sudo", "curl", "diff", "lftp", "nc", "wget", "ab", "git"}
CODE = r"^```.*\n(?:.*\n)*?```$"


@functools.cache
def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(page):
    """A page without its fenced blocks."""
    return re.sub(CODE, "", text_of(page), flags=re.MULTILINE)


def headings(page):
    return re.findall(r"^#+ (.+)", prose_of(page), re.MULTILINE)


def fenced(page):
    """Fenced blocks, as (info string, lines)."""
    blocks = re.findall(r"^```(.*)\n((?:.*\n)*?)```$", text_of(page), re.MULTILINE)
    return [(info.strip(), content.splitlines()) for info, content in blocks]


def part(page, heading):
    """What is under a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    return re.search(rf"^{re.escape(heading)}\n((?:(?!{level} ).*\n)*)", prose_of(page), re.MULTILINE)[1]


def tables(page):
    """Tables, as lists of rows of cells."""
    found = re.findall(r"^(?:\|.*\n)+", prose_of(page), re.MULTILINE)
    return [[[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()] for table in found]


def is_bilingual(text):
    return bool(CJK.search(text) and WORD.search(text))


# The notes

@pytest.mark.parametrize("day", DAYS)
def test_every_heading_of_the_notes_is_covered_in_order(day):
    page = f"{day}/README.md"
    left = headings(page)
    for heading in HEADINGS[day]:
        if isinstance(heading, tuple):
            assert heading[1] in prose_of(page), heading
            continue
        while left and not (left[0].endswith(heading) or f"· {heading}" in left[0]):
            left.pop(0)
        assert left, f"{heading} is no heading, or not at its place"
        left.pop(0)


@pytest.mark.parametrize("day", DAYS)
def test_corrections_of_the_notes(day):
    page = f"{day}/README.md"
    [head, _, *rows] = next(table for table in tables(page) if "讲义" in table[0][0])
    assert head == ["the notes · 讲义", "today · 实际情况", "shown by · 演示"] and UPDATE in headings(page)
    assert len(rows) >= CORRECTIONS[day]
    for notes, today, shown in rows:
        assert notes and today and (is_bilingual(today) or "`" in today), notes
        for exercise in re.findall(r"try it.*?(\d+)", shown):
            assert f"\n{exercise}. " in part(page, f"## {TRY}") or "README.md" in shown, shown
        if not re.search(r"\]\(|try it", shown):
            assert notes.startswith(tuple(NOT_SHOWN)), f"nothing shows: {notes}"
        for link, words in re.findall(r"\]\(([^)]+)\)(?: \(((?:`\w+`(?:, )?)+)\))?", shown):
            assert (ROOT / day / link).exists(), link
            names = [node.name for node in ast.parse((ROOT / day / link).read_text(encoding="utf-8")).body
                     if isinstance(node, ast.FunctionDef)] if link.endswith(".py") else []
            for word in re.findall(r"`(\w+)`", words):
                assert any(name.startswith("test_") and word in name for name in names), f"{link} has no test of {word}"


def test_what_is_not_shown_is_on_a_page():
    for row in NOT_SHOWN:
        assert any(f"\n| {row}" in text_of(page) for page in PAGES), f"{row}: take it off the list"


# Corrections of the notes that no script shows

def python(code, **options):
    """What some lines print."""
    return run(sys.executable, "-c", "if True:\n" + code, **options).stdout


def test_fork_copies_only_the_calling_thread():
    printed = python("""
        import os, threading
        end = threading.Event()
        threading.Thread(target=end.wait).start()
        pid = os.fork()
        print(len(os.listdir("/proc/self/task")), flush=True)
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        end.set()""")
    assert sorted(printed.split()) == ["1", "2"]


def test_pipe_that_is_full_makes_send_wait():
    reader, writer = multiprocessing.Pipe(duplex=False)
    with reader, writer:
        os.set_blocking(writer.fileno(), False)
        with pytest.raises(BlockingIOError):       # it would wait
            for _ in range(1000):
                writer.send_bytes(bytes(4096))


def test_pipe_in_both_directions_is_a_pair_of_sockets_and_in_one_a_pipe():
    for duplex, is_kind in ((True, stat.S_ISSOCK), (False, stat.S_ISFIFO)):
        one, two = multiprocessing.Pipe(duplex)
        with one, two:
            assert all(is_kind(os.fstat(end.fileno()).st_mode) for end in (one, two))


def test_queue_says_that_it_is_empty_and_that_it_has_one_message():
    """put has returned, but its feeder thread has not sent the message yet."""
    assert python("""
        import multiprocessing, queue, threading
        may_be_sent = threading.Event()
        class Slow:
            def __reduce__(self):                  # called by the feeder thread, when it pickles the message
                may_be_sent.wait(10)
                return str, ("slow",)
        q = multiprocessing.Queue()
        q.put(Slow())
        try:
            q.get_nowait()
        except queue.Empty:
            print(q.qsize(), q.empty())
        may_be_sent.set()
        print(q.get(timeout=10))""", orphans=course.HELPERS) == "1 True\nslow\n"


def test_queue_put_of_what_cannot_be_pickled_raises_nothing_and_loses_the_message():
    printed = python("""
        import multiprocessing
        q = multiprocessing.Queue()
        q.put(lambda: 0)
        q.put("next")
        print(q.get(timeout=10))""", stderr="(?s).*pickle.*", orphans=course.HELPERS)
    assert printed == "next\n"


def test_value_of_one_byte():
    run(sys.executable, "-c", "import multiprocessing; multiprocessing.Value('c', b'ab')", status=1, stderr="(?s).*TypeError.*",
        orphans=course.HELPERS)


def test_sys_exit_in_a_thread_ends_only_the_thread():
    assert python("""
        import sys, threading
        thread = threading.Thread(target=sys.exit, args=(3,))
        thread.start()
        thread.join()
        print("still here")""") == "still here\n"


def test_os_exit_in_a_thread_ends_all():
    assert python("""
        import os, threading
        thread = threading.Thread(target=os._exit, args=(3,))
        thread.start()
        thread.join()
        print("still here")""", status=3) == ""


def test_orphan_is_reaped_only_if_the_one_who_adopts_it_waits():
    assert python(f"""
        import ctypes, os
        ctypes.CDLL(None).prctl({harness.PR_SET_CHILD_SUBREAPER}, 1)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            if os.fork():
                os._exit(0)
            os.write(writer, str(os.getpid()).encode())
            os._exit(0)
        os.waitpid(child, 0)
        orphan = int(os.read(reader, 100))
        os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOWAIT)           # it has ended, and nobody has reaped it
        with open(f"/proc/{{orphan}}/stat") as stat:
            print(stat.read().split()[2:4] == ["Z", str(os.getpid())])
        os.waitpid(orphan, 0)
        print(os.path.exists(f"/proc/{{orphan}}"))""") == "True\nFalse\n"


def test_is_alive_reaps():
    child = multiprocessing.get_context("fork").Process(target=int)
    assert not child.is_alive()
    child.start()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not child.is_alive() and not os.path.exists(f"/proc/{child.pid}")


def test_daemon_process_outlives_a_parent_that_does_not_end_normally():
    with Program(sys.executable, "-c", """if True:
            import multiprocessing, os, signal
            child = multiprocessing.get_context("fork").Process(target=signal.pause, daemon=True)
            child.start()
            print(child.pid, flush=True)
            os._exit(0)""") as program:
        pid = int(program.expect(r"(\d+)\n")[1])
        program.wait()
        assert harness.state_of(pid) not in ("Z", None)


def test_daemon_process_may_have_no_children():
    assert "daemonic processes are not allowed to have children" in run(sys.executable, "-c", """if True:
        import multiprocessing
        context = multiprocessing.get_context("fork")
        child = context.Process(target=lambda: context.Process().start(), daemon=True)
        child.start()
        child.join()
        exit(child.exitcode)""", status=1, stderr="(?s).*").stderr


def test_pool_without_a_number_has_a_worker_for_each_cpu():
    workers = int(python("""
        import multiprocessing, os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        with multiprocessing.get_context("fork").Pool() as pool:
            print(len(multiprocessing.active_children()))"""))
    assert workers == (1 if sys.version_info >= (3, 13) else os.cpu_count())


POOL = """
        import concurrent.futures, multiprocessing, os
        context = multiprocessing.get_context("fork")
"""


def test_pool_join_before_close_raises_value_error():
    assert python(POOL + """
        with context.Pool(1) as pool:
            try:
                pool.join()
            except ValueError as error:
                print(error)""") == "Pool is still running\n"


def test_pool_task_that_is_defined_later_is_never_done():
    printed = python(POOL + """
        pool = context.Pool(1)
        def late():
            pass
        [worker] = multiprocessing.active_children()
        result = pool.apply_async(late)
        worker.join()                              # it cannot find the function, and dies of that
        print(result.ready())
        pool.terminate()
        pool.join()""", stderr="(?s).*AttributeError.*late.*")
    assert printed == "False\n"


def test_process_pool_executor_that_is_broken_raises():
    assert python(POOL + """
        with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
            try:
                pool.submit(os._exit, 1).result()
            except concurrent.futures.BrokenExecutor as error:
                print(type(error).__name__)""") == "BrokenProcessPool\n"


def test_queue_close_is_for_one_process_only():
    assert python("""
        import multiprocessing
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=queue.close)
        child.start()
        child.join()
        queue.put("still open here")
        print(queue.get(timeout=10))""") == "still open here\n"


def test_semaphore_of_threading_has_no_get_value():
    # In a process of its own: it starts multiprocessing's resource tracker, which stays as long as that lives.
    assert python("""
        import multiprocessing, threading
        print([hasattr(module.Semaphore(), "get_value") for module in (threading, multiprocessing)])""",
                  orphans=course.HELPERS) == "[False, True]\n"


def test_daemon_thread_outlives_main_while_another_thread_lives():
    assert python("""
        import threading
        main_has_ended, said = threading.main_thread().join, threading.Event()
        def daemon():
            main_has_ended()
            print("main has ended, and I have not", flush=True)
            said.set()
        threading.Thread(target=daemon, daemon=True).start()
        threading.Thread(target=said.wait).start()""") == "main has ended, and I have not\n"


@pytest.mark.skipif(not os.path.exists("/proc/self/syscall"), reason="this kernel does not show where a thread waits")
def test_threads_share_their_code_and_each_has_a_stack():
    """Two threads wait in the same call: they stand at one instruction, each with a stack pointer of its own (man 5 proc)."""
    assert python("""
        import os, threading, time
        reader, writer = os.pipe()
        threads = [threading.Thread(target=os.read, args=(reader, 1)) for _ in range(2)]
        for thread in threads:
            thread.start()
        while True:                                # until both wait
            rows = []
            for thread in threads:
                with open(f"/proc/self/task/{thread.native_id}/syscall") as file:
                    rows.append(file.read().split())
            if all(len(row) == 9 and int(row[1], 16) == reader for row in rows):
                break
            time.sleep(0.001)
        (*_, stack, code), (*_, other_stack, other_code) = rows
        print(code == other_code, stack != other_stack)
        os.write(writer, b"xx")""") == "True True\n"


def test_non_blocking_makes_no_difference_to_a_file(tmp_path):
    (tmp_path / "file").write_bytes(bytes(1 << 20))
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)             # out of the cache: the disk must be waited for
        assert len(os.read(fd, 1 << 20)) == 1 << 20
    finally:
        os.close(fd)


def test_thread_that_waits_for_a_file_lets_the_others_go_on(tmp_path):
    os.mkfifo(tmp_path / "file")
    read = []
    thread = threading.Thread(target=lambda: read.append((tmp_path / "file").read_bytes()))
    thread.start()
    (tmp_path / "file").write_bytes(b"from another thread")
    thread.join()
    assert read == [b"from another thread"]


def test_setblocking_wants_an_argument():
    with socket.socket() as sock, pytest.raises(TypeError):
        sock.setblocking()


def test_timeout_of_poll_is_in_milliseconds_and_that_of_select_and_epoll_in_seconds():
    with select.epoll() as epoll:
        for wait, timeout in (select.poll().poll, 100), (epoll.poll, 0.1), (functools.partial(select.select, [], [], []), 0.1):
            started = time.monotonic()
            assert not any(wait(timeout))
            assert 0.09 < time.monotonic() - started < TIMEOUT         # and not 100 seconds, nor 0.1 ms


def test_task_group_since_3_11():
    assert hasattr(asyncio, "TaskGroup") == (sys.version_info >= (3, 11))


@pytest.mark.parametrize("read", ["input()", "open(0, closefd=False).readline()", "os.read(0, 1)"])
def test_gevent_monkey_leaves_input_and_files(read):
    """While one greenlet waits for them, no other one has a turn."""
    assert python(f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent, os, signal
        reader, writer = os.pipe()
        os.dup2(reader, 0)
        signal.signal(signal.SIGALRM, lambda signum, frame: os.write(writer, b"x\\n"))
        def ask():
            signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
            {read}
            signal.setitimer(signal.ITIMER_REAL, 0)
            print("it came")
        gevent.joinall([gevent.spawn(ask), gevent.spawn(print, "the other")], raise_error=True)""") == "it came\nthe other\n"


def test_asyncio_together_with_a_limit_and_cancelled():
    async def after(turns, value):
        for _ in range(turns):
            await asyncio.sleep(0)
        if value is None:
            raise ValueError
        return value

    async def for_ever(seen):
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        finally:
            seen.append("cleaned up")

    async def main():
        assert await asyncio.gather(after(5, "late"), after(0, "early")) == ["late", "early"]

        seen, quick = [], asyncio.create_task(after(0, "x"))
        slow = asyncio.create_task(for_ever(seen))
        assert await asyncio.wait([quick, slow], return_when=asyncio.FIRST_COMPLETED) == ({quick}, {slow})
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(slow, 0.01)
        assert seen == ["cancelled", "cleaned up"]

        seen = []
        slow = asyncio.create_task(for_ever(seen))
        with pytest.raises(ValueError):
            await asyncio.gather(slow, after(1, None))
        assert not slow.done() and slow.cancel()
        await asyncio.wait([slow])

        if sys.version_info >= (3, 11):
            seen.clear()
            with pytest.raises(BaseException) as caught:
                async with asyncio.TaskGroup() as group:
                    group.create_task(for_ever(seen))
                    group.create_task(after(1, None))
            assert type(caught.value.exceptions[0]) is ValueError and seen == ["cancelled", "cleaned up"]

    async def limited():                           # in a task of its own: 3.11.2 counts the cancelling of the group above
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await for_ever([])
    asyncio.run(main())
    if sys.version_info >= (3, 11):
        asyncio.run(limited())


def test_close_with_bytes_unread_resets_the_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname(), TIMEOUT) as client:
        conn, addr = listener.accept()
        with conn:
            client.sendall(b"more than anybody reads")
            select.select([conn], [], [], TIMEOUT)
            conn.sendall(b"the answer")
        with pytest.raises(ConnectionResetError):
            while client.recv(100):
                pass


# To do and to know

@pytest.mark.parametrize("day", DAYS)
def test_exercises(day):
    """Try it: what to change and to predict, and the answer, folded in."""
    page = f"{day}/README.md"
    lists = re.findall(rf"^(?:## |\*\*){TRY}(?:\*\*)?\n\n((?:(?:\d+\.| ) .*\n)+)", prose_of(page), re.MULTILINE)
    exercises = [exercise for one in lists for exercise in re.split(r"^\d+\. ", one, flags=re.MULTILINE)[1:]]
    assert len(part(page, f"## {TRY}").split("<details>")) > 5 and len(exercises) == text_of(page).count("<details>") - len(statements(page))
    for exercise in exercises:
        question, answer = re.fullmatch(
            r"(?s)(.+)<details><summary>answer · 答案</summary>(.+)</details>\s*", exercise).groups()
        assert is_bilingual(question) and is_bilingual(answer), exercise
        assert "details" not in question + answer, exercise


def statements(page):
    """Of "Check yourself": the numbered statements, each with its answer folded in."""
    if CHECK not in headings(page):
        return []
    return re.split(r"^\d+\. ", part(page, f"## {CHECK}"), flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("day", DAYS)
def test_check_yourself(day):
    """True or false? Each answer says so in both languages, why, and which script or test proves it."""
    found = statements(f"{day}/README.md")
    assert len(found) == 10
    verdicts = set()
    for one in found:
        statement, verdict, english, verdict_zh, chinese, proof = re.fullmatch(
            r"(?s)(.+)<details><summary>answer · 答案</summary>(True|False)\. (.+) ·\n +(对|错)。(.+)Proof · 证明: (.+)</details>\s*", one).groups()
        assert is_bilingual(statement) and WORD.search(english) and not CJK.search(english) and CJK.search(chinese), one
        assert (verdict, verdict_zh) in (("True", "对"), ("False", "错")), one
        verdicts.add(verdict)
        file, *tests = re.findall("<code>([^<]+)</code>", proof)
        assert (ROOT / day / file).is_file(), file
        assert tests or course.describe(str((ROOT / day / file).resolve().relative_to(ROOT))).output, f"{file} prints nothing"
        for test in tests:
            assert re.search(rf"^def {test}\(", (ROOT / day / file).read_text(encoding="utf-8"), re.MULTILINE), f"{file} has no {test}"
    assert verdicts == {"True", "False"}


@pytest.mark.parametrize("day, question", QUESTIONS)
def test_interview_questions(day, question):
    """A question stands alone, in bold; its answer follows, first in English, then in Chinese."""
    paragraph = r"(.+(?:\n.+)*)\n\n"
    [(english, chinese)] = re.findall(rf"^\*\*[A-Z][^·]+ · [^*]*{question}[^*]*\*\*\n\n{paragraph}{paragraph}",
                                      text_of(f"{day}/README.md"), re.MULTILINE)
    assert len(WORD.findall(english)) > 20 and not CJK.search(english)
    assert len(CJK.findall(chinese)) > 20 and CJK.match(chinese)


@pytest.mark.parametrize("day", DAYS)
def test_questions_beyond_the_notes(day):
    """What interviews ask beyond the notes: answered in both languages, and each answer says where it can be seen."""
    section = part(f"{day}/README.md", f"### {INTERVIEW}")
    asked = re.findall(r"^\*\*Q: .*", section, re.MULTILINE)
    answered = re.findall(r"^\*\*Q: ([A-Z][^·\n]+\?) · ([^\n]+？)\*\*\n\n(.+(?:\n.+)*)\n\n(.+)$", section, re.MULTILINE)
    assert len(asked) == len(answered) >= 10
    for question, question_zh, english, chinese in answered:
        assert not CJK.search(question) and CJK.search(question_zh), question
        assert len(WORD.findall(english)) > 15 and not CJK.search(english), question
        assert len(CJK.findall(chinese)) > 15, question
        assert SOURCE.search(english) and SOURCE.search(chinese), f"{day}: {question} Where can one see it?"


# Blocks and commands

@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_drawn_parsed_or_marked(page):
    for info, lines in fenced(page):
        kind, _, mark = info.partition(" ")
        if kind == "python":
            ast.parse("\n".join(lines))
        elif kind == "text":                       # it says what it is, since nobody can run it
            assert re.fullmatch(r"\(.+\)", mark), f"{page}: what is this? {lines[0]}"
        else:
            assert kind in ("console", "mermaid"), f"{page}: {info}"
    # test_course.py runs those blocks that begin with a command
    assert [one.page for one in course.transcripts()].count(page) == text_of(page).count("\n```console")


def commands(page):
    """What a page tells the reader to type: indented lines, lines of blocks after $, and code in the text."""
    without_lists = re.sub(r"^(?:-|\d+\.) .*\n(?: .*\n)*", "", prose_of(page), flags=re.MULTILINE)
    indented = re.findall(r"^ {4}(\S.*)", without_lists, re.MULTILINE)
    prompted = [command for _, lines in fenced(page) for line in lines for command in re.findall(r"\$ (.+?)(?: {2}|$)", line)]
    in_text = [html.unescape(code) for code in re.findall(r"(?:`|<code>)((?:python|make) [^`<]+)", prose_of(page))]
    return indented + prompted + in_text


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_valid(page):
    found = commands(page)
    assert page == "README.md" or f"make demo DAY={page[3:5]}" in found
    for command in found:
        line, *remarks = re.split(r" {2,}", command)
        for one in line.split(" | "):
            check_command(one, " ".join(remarks))


def check_command(command, remarks):
    """The script or the target exists, and has the options that the command and the remarks behind it name."""
    words = shlex.split(command)
    options = [word for word in words + remarks.split() if re.match(r"--?[a-z]", word)]
    if words[0] == "python" and words[1].startswith("-"):
        assert words[1] in ("-m", "-c", "-O")
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file(), command
        check_options(words[1], options)
    elif words[0] == "make":
        makefile = (ROOT / "Makefile").read_text()
        for word in words[1:]:
            name, _, value = word.partition("=")
            assert re.search(rf"^{name}:|\$\((call given,)?{name}\)", makefile, re.MULTILINE), f"{command}: the Makefile has no {name}"
            if name == "ARGS":
                script = re.search(rf"^{words[1]}:.*\n.* (\S+\.py) \$\(ARGS\)", makefile, re.MULTILINE)[1]
                if script != "tests/run.py":       # it hands its options to pytest
                    check_options(script, [word for word in value.split() if word.startswith("-")])
    elif words[0] != "taskset" and not command.startswith("rs, ws, xs"):
        assert words[0] in OTHERS | {"cat", "sh"}, command
        for path in words[1:]:
            assert not path.startswith("day") or (ROOT / path).exists(), command


def check_options(script, options):
    for option in options:
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_of(script)), f"{script} has no option {option}"


@functools.cache
def help_of(script):
    return run(script, "--help").stdout


@pytest.mark.parametrize("command", [
    "python day07/no_such.py", "python day10/fork_server.py --no-such-option", "make no-such-target",
    "make race ARGS=--no-such-option", "nosuchprogram", "diff day12/no_such.py day12/poll_server.py"])
def test_a_command_that_is_not_valid_is_found(command):
    with pytest.raises(AssertionError):
        check_command(command, "")


def test_ftp_session_is_what_the_client_shows():
    [session] = [lines for info, lines in fenced("day11/README.md") if any(line.startswith("ftp> ") for line in lines)]
    typed = [line.removeprefix("ftp> ") for line in session if line.startswith("ftp> ")]
    with serve("day11/ftp/ftp_server.py") as server, Program("day11/ftp/ftp_client.py", server.port, tty=True) as client:
        for line in typed:
            client.expect("ftp> ")
            client.write(line + "\n")
        assert client.wait() == 1                  # since an upload is refused
    shown = [line.rpartition("\x1b[K")[2].rstrip() for line in client.stdout.strip("\n").split("\n")]
    difference = course.compare(session, shown, masked=True)
    assert not difference, difference


def test_the_part_of_the_tour_is_what_the_tour_shows(capsys):
    [lines] = [lines for info, lines in fenced("README.md") if "part of make demo" in info]
    scripts = course.scripts_in_order()
    [(number, script)] = [(number, one) for number, one in enumerate(scripts, 1) if one.path in lines[0]]
    assert lines[0].startswith(f"[{number}/{len(scripts)}] ")
    tour.show(script, f"{number}/{len(scripts)}")
    difference = course.compare(lines, capsys.readouterr().out.splitlines(), masked=True)
    assert not difference, difference


# Two languages

@pytest.mark.parametrize("page", PAGES[1:])
def test_headings_are_in_both_languages(page):
    for heading in headings(page):
        english, dot, chinese = heading.partition(" · ")
        assert dot and WORD.search(english) and (CJK.search(chinese) or chinese == "HTTPServer v2.0"), heading


@pytest.mark.parametrize("page", PAGES[1:])
def test_text_is_in_both_languages(page):
    """An English paragraph is followed by a Chinese one, unless it goes on in Chinese; items of lists and tables have both."""
    for section in re.split(r"^#+ .+\n", prose_of(page), flags=re.MULTILINE)[1:]:
        waiting = None                             # the English paragraph whose Chinese is to come
        for block in re.split(r"\n\s*\n", section.strip("\n")):
            text = re.sub(r"`[^`]*`|\]\([^)]*\)|<[^>]+>", " ", block)
            words, characters = len(WORD.findall(text)), len(CJK.findall(text))
            if re.match(r"(?:-|\d+\.) ", block):
                for item in re.split(r"^(?:-|\d+\.) ", text, flags=re.MULTILINE)[1:]:
                    assert is_bilingual(item), f"one language only: {item}"
            elif block.startswith("|"):
                assert is_bilingual(text), f"one language only: {block}"
            elif block.startswith("    ") or not words and not characters:
                continue                           # commands, or nothing but code
            elif words > 2 * characters:
                assert not waiting, f"no Chinese: {waiting}"
                waiting = block
            elif " · " in text:
                assert not waiting, f"no Chinese: {waiting}"
            else:
                assert waiting, f"no English: {block}"
                waiting = None
        assert not waiting, f"no Chinese: {waiting}"


# As a viewer shows it

@pytest.mark.parametrize("page", PAGES)
def test_diagrams(page):
    for info, lines in fenced(page):
        if info != "mermaid":
            continue
        kind = lines[0].split()[0]
        assert kind in DIAGRAMS, lines[0]
        text = "\n".join(lines)
        assert text.count('"') % 2 == 0, text
        bare = re.sub(r'"[^"]*"', "", text)
        if kind == "flowchart":                    # elsewhere, labels stand without quotes
            for opening, closing in ("()", "[]", "{}"):
                assert bare.count(opening) == bare.count(closing), text
        opening = "subgraph" if kind == "flowchart" else "rect|box|loop|alt|opt|par"
        opened = re.findall(rf"^\s*(?:{opening})\b", bare, re.MULTILINE)
        assert len(opened) == len(re.findall(r"^\s*end$", bare, re.MULTILINE)), text
        assert not re.search(r"^\s*(\w+)-{1,2}[x>)]{1,2}\1:", text, re.MULTILINE), f"its label is crossed by the line: {text}"


@pytest.mark.parametrize("page", PAGES)
def test_tables(page):
    for rows in tables(page):
        assert re.fullmatch(r"-{3,}", rows[1][0]) and {len(row) for row in rows} == {len(rows[0])}, rows
        assert any(rows[0]), f"the table has an empty head: {rows[2]}"


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_shown_raw(page):
    fences = re.findall("^```.*`.*$", text_of(page), re.MULTILINE)
    assert not fences, f"a ` behind ``` makes it no fence: {fences}"
    text = prose_of(page)
    for answer in re.findall(r"<details>.*?</details>", text, re.DOTALL):
        raw = re.search(r"[`*]|\]\(", re.sub(r"<code>.*?</code>", "", answer))
        assert not raw, f"Markdown within HTML is not rendered: {answer}"
    without_code = re.sub(r"`[^`\n]*`", "``", text)
    for block in without_code.split("\n\n"):
        for number, mark in enumerate(re.finditer(r"(?<!\*)\*\*(?!\*)", block)):
            # CommonMark takes ** for bold only if no space is on its inside; and if it is punctuation, no letter outside.
            outside, inside = block[mark.start() - 1:mark.start()], block[mark.end():mark.end() + 1]
            if number % 2:
                outside, inside = inside, outside
            assert inside.strip() and (inside.isalnum() or not outside.isalnum()), f"not bold: {block[:mark.end() + 10]}"
        assert block.count("**") % 2 == 0, block
    assert not (found := re.search(r"(?<!\*)\*(?!\*)[^*\n]*[\u3400-\u9fff][^*\n]*\*(?!\*)", without_code)), \
        f"{found[0]}: Chinese is not slanted"
    assert not (found := re.search(r".{0,20}[\u3400-\u9fff，。：；？！、）]\n *[\u3400-\u9fff（].{0,20}", text)), \
        f"a line break in Chinese text is shown as a space: {found[0]}"


# make readme

HELLO = """import sys
print("hello, world")
print("a random number:", 4711)
print("it runs on", sys.platform)
"""
PAGE = """# A page

```console masked
$ python day07/hello.py
hello, world
a random number: {number}
it runs on <name>
```

    make

```console unordered
$ python day07/hello.py
{last}
it runs on linux
a random number: 4711
```

```console skip (nobody knows)
$ python day07/no_such.py
nothing
```
"""


class Site(HTMLParser):
    """Of the site's first page: the days, and under each its scripts, as (path, name, what it shows); <code> as `."""

    def __init__(self):
        super().__init__()
        self.days, self.where, self.classes = [], None, []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "h3":
            self.days.append(["", []])
            self.where = "day"
        elif "data-path" in attrs:
            self.days[-1][1].append([attrs["data-path"], "", ""])
        elif attrs.get("class") in ("name", "shows"):
            self.where = attrs["class"]
        elif tag == "code" and self.where == "shows":
            self.handle_data("`")

    def handle_endtag(self, tag):
        if tag == "code" and self.where == "shows":
            self.handle_data("`")
        elif tag in ("h3", "code", "span", "li"):
            self.where = None

    def handle_data(self, data):
        if self.where == "day":
            self.days[-1][0] += data
        elif self.where:
            self.days[-1][1][-1][1 if self.where == "name" else 2] += data


def test_the_site_names_every_day_and_script_as_the_readme_does():
    site = Site()
    site.feed((ROOT / "day12/site/index.html").read_text(encoding="utf-8"))
    found = [(" ".join(day.split()), [tuple(" ".join(text.split()) for text in script) for script in scripts]) for day,
             scripts in site.days]
    wanted = []
    for line in text_of("README.md").splitlines():
        if day := re.fullmatch(r"### \[(Day \d+)\]\(\S+\)(: .+)", line):
            wanted.append((day[1] + day[2], []))
        elif script := re.fullmatch(r"\| \[(\S+)\]\((\S+\.py)\) \| (.+) \|", line):
            wanted[-1][1].append((script[2], script[1], script[3].replace(" · ", " ", 1)))
    assert found == wanted


def test_readme_fills_in_the_row_of_a_new_script(tmp_path, monkeypatch):
    """The second cell of the row may be empty."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    (tmp_path / "day07").mkdir()
    (tmp_path / "day07/hello.py").write_text('"""Say hello.\n打招呼。\n"""\n', encoding="utf-8")
    for cell in "", " ", "  ", " old ":
        assert readme.list_of_readme(f"| [hello.py](day07/hello.py) |{cell}|\n") == "| [hello.py](day07/hello.py) | Say hello · 打招呼 |\n"


def test_readme_rewrites_what_is_no_longer_true_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(harness, "ROOT", tmp_path)
    (tmp_path / "day07").mkdir()
    (tmp_path / "day07/hello.py").write_text(HELLO, encoding="utf-8")
    (tmp_path / "README.md").write_text("# None\n", encoding="utf-8")
    page = tmp_path / "day07/README.md"

    page.write_text(PAGE.format(number=12, last="hello, world"), encoding="utf-8")
    before = page.stat().st_mtime_ns
    course.output_of.cache_clear()
    try:
        readme.main()
        assert capsys.readouterr().out == "0 rewritten\n"
        assert page.stat().st_mtime_ns == before

        page.write_text(PAGE.format(number="12 and 13", last="hello"), encoding="utf-8")
        readme.main()
        assert capsys.readouterr().out == ("day07/README.md:12: rewritten: python day07/hello.py\n"
                                           "day07/README.md:3: rewritten: python day07/hello.py\n2 rewritten\n")
        lines = page.read_text(encoding="utf-8").split("\n")
        assert lines[4:7] == ["hello, world", "a random number: 4711", "it runs on <name>"]
        assert lines[13:17] == ["hello, world", "a random number: 4711", "it runs on linux", "```"]
        readme.main()
        assert capsys.readouterr().out == "0 rewritten\n"

        course.output_of.cache_clear()
        (tmp_path / "day07/hello.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
        with pytest.raises(SystemExit, match="(?s)day07/README.md: .*"):
            readme.main()
    finally:
        course.output_of.cache_clear()             # day07/hello.py is nobody else's
