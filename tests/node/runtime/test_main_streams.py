from __future__ import annotations

from k8slab.node.interfaces import ContainerConfig, Streams
from k8slab.node.runtime.main_streams import MainStreams
from k8slab.node.runtime.streams import Capture, Pipe
from k8slab.sim import Simulation


def attached(**flags: bool) -> tuple[Simulation, MainStreams, Capture, list[str], Pipe]:
    sim, kept = Simulation(), []
    config = ContainerConfig(name="c", image="i", **flags)
    main = MainStreams(sim, config, lambda stream, line: kept.append(line))
    out, keys = Capture(), Pipe(sim)
    client = Streams(stdin=keys, stdout=out, stderr=out)
    sim.spawn(main.attach(client, lambda: sim.sleep(10)), "client")
    sim.run(0)
    return sim, main, out, kept, keys


def test_what_is_printed_is_kept_and_shown() -> None:
    _, main, out, kept, _ = attached()
    main.stdout.write("a\nb")
    assert (out.text, kept) == ("a\nb", ["a"])


def test_a_client_that_left_is_shown_nothing_more() -> None:
    sim, main, out, kept, _ = attached()
    sim.run(11)
    main.stdout.write("late\n")
    assert (out.text, kept) == ("", ["late"])


def test_the_input_ends_with_the_first_client_only_if_it_was_meant_to() -> None:
    for once in (True, False):
        sim, main, _, _, keys = attached(stdin=True, stdin_once=once)
        assert main.stdin is not None
        keys.write("x\n")
        keys.close()
        task = sim.spawn(main.stdin.read(), "reader")
        sim.run(1)
        assert task.done is once


def test_without_stdin_there_is_nothing_to_read() -> None:
    assert attached()[1].stdin is None


def test_a_terminal_echoes_and_its_log_has_plain_lines() -> None:
    sim, main, out, kept, keys = attached(stdin=True, tty=True)
    keys.write("ls\r")
    sim.run(1)
    main.stdout.write("bin\n")
    assert (out.text, kept) == ("ls\r\nbin\r\n", ["ls", "bin"])
