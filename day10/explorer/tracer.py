"""Call a function before each instruction of the student's code that may touch shared state.
在学生代码中每条可能访问共享状态的指令之前，调用一个函数。

On Python 3.10 and 3.11 the tracer uses sys.settrace, in each thread. Since 3.12 it uses
sys.monitoring (PEP 669), for each code object, because sys.settrace no longer reports the
instructions of a function's first call.
"""

import builtins
import sys
import types

from explorer.steps import touches


class Tracer:
    """Calls on_touch(frame, touch), in the thread that is about to touch shared state.

    codes: {code: {offset: Touch}} of all the student's functions.
    """

    def __init__(self, functions, on_touch):
        self.on_touch, self.codes, self.names = on_touch, {}, set()
        self.on_opcodes = {}
        self.files = {function.__code__.co_filename for function in functions}
        for function in functions:
            self.add_function(function)

    def add_function(self, function):
        """Add a function, and all functions, methods and classes that it can reach by name."""
        if (
            not isinstance(function, types.FunctionType)
            or function.__code__.co_filename not in self.files
        ):
            return
        if function.__code__ in self.codes:
            return
        before = len(self.codes)
        self.add_code(function.__code__, frozenset())
        for cell in function.__closure__ or ():
            try:
                self.add_value(cell.cell_contents)
            except ValueError:
                continue  # the cell is still empty
        for code in list(self.codes)[before:]:
            touched = [touch.target for touch in self.codes[code].values()]
            self.names.update(
                target[1]
                for target in touched
                if target[0] == "global" and not hasattr(builtins, target[1])
            )
            for name in code.co_names:
                if name in function.__globals__:
                    self.names.add(name)
                    self.add_value(function.__globals__[name])

    def add_value(self, value):
        value = getattr(value, "__func__", value)
        self.add_function(value)
        for one in type(value), value:
            if isinstance(one, type) and one.__module__ != "builtins":
                for member in [member for base in one.__mro__ for member in vars(base).values()]:
                    member = getattr(member, "__func__", member)
                    self.add_function(getattr(member, "fget", member))

    def add_code(self, code, private):
        self.codes[code] = touches(code, private)
        self.on_opcodes[code] = self.function_for(self.codes[code])
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                # Variables of the enclosing function belong to the thread that called it.
                self.add_code(inner, private | frozenset(code.co_cellvars))

    def __enter__(self):
        self.tool = None
        if sys.version_info >= (3, 12):
            self.start_monitoring()
        return self

    def __exit__(self, *error):
        if self.tool is not None:
            for code in self.codes:
                sys.monitoring.set_local_events(self.tool, code, 0)
            sys.monitoring.register_callback(self.tool, sys.monitoring.events.INSTRUCTION, None)
            sys.monitoring.free_tool_id(self.tool)
            self.tool = None

    def start_monitoring(self):
        monitoring = sys.monitoring
        self.tool = next(
            (tool for tool in (4, 3, 5, 2, 1, 0) if monitoring.get_tool(tool) is None), None
        )
        if self.tool is None:
            raise RuntimeError(
                "all tool ids of sys.monitoring are in use: end the debugger or coverage first"
            )
        monitoring.use_tool_id(self.tool, "explorer")
        monitoring.register_callback(self.tool, monitoring.events.INSTRUCTION, self.on_instruction)
        for code in self.codes:
            monitoring.set_local_events(self.tool, code, monitoring.events.INSTRUCTION)
        monitoring.restart_events()

    def on_instruction(self, code, offset):
        touch = self.codes[code].get(offset) if code in self.codes else None
        if touch is None:
            return sys.monitoring.DISABLE
        self.on_touch(sys._getframe(1), touch)
        return None

    def trace_this_thread(self, is_on=True):
        """If the tracer uses sys.settrace, switch tracing on for this thread. is_on=False switches
        tracing off while the explorer's own code runs."""
        if self.tool is None:
            sys.settrace(self.on_call if is_on else None)

    def on_call(self, frame, event, argument):
        on_opcode = self.on_opcodes.get(frame.f_code)
        if on_opcode:
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return on_opcode

    def function_for(self, touches):
        """Return the function that the interpreter calls before each instruction of a code object.
        Make it only once for each code object, because each call of the code needs it."""
        get, on_touch = touches.get, self.on_touch

        def on_opcode(frame, event, argument):
            touch = get(frame.f_lasti)
            if touch is not None and event == "opcode":
                on_touch(frame, touch)
            return on_opcode

        return on_opcode
