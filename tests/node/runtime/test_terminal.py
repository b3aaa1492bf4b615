from __future__ import annotations

from k8slab.node.runtime.streams import Capture
from k8slab.node.runtime.terminal import Terminal
from k8slab.sim import Simulation


def typed(keys: str) -> tuple[list[str], str]:
    """What a program reads of some keys, and what is on the screen."""
    sim, screen = Simulation(), Capture()
    terminal = Terminal(sim, screen)
    terminal.write(keys)
    terminal.close()

    async def read() -> list[str]:
        lines = []
        while (line := await terminal.read_line()) is not None:
            lines.append(line)
        return lines

    return sim.complete(read(), "reader", 1.0), screen.text


def test_a_program_gets_whole_lines_and_the_keys_are_shown() -> None:
    assert typed("ls\recho\r") == (["ls", "echo"], "ls\r\necho\r\n")


def test_backspace_takes_a_character_back() -> None:
    assert typed("lx\x7fs\r")[0] == ["ls"]


def test_ctrl_u_takes_the_line_back_and_ctrl_c_drops_it() -> None:
    assert typed("abc\x15d\r")[0] == ["d"]
    assert typed("abc\x03d\r")[0] == ["", "d"]


def test_ctrl_d_on_an_empty_line_is_the_end() -> None:
    assert typed("a\r\x04b\r")[0] == ["a"]


def test_lines_end_as_terminals_want_it() -> None:
    screen = Capture()
    Terminal(Simulation(), screen).output.write("a\nb\n")
    assert screen.text == "a\r\nb\r\n"
