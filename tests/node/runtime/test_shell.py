"""The shell: scripts as they stand in manifests."""

from __future__ import annotations

import pytest

from k8slab.node.folder import Folder
from k8slab.node.interfaces import EXITED, RUNNING, Mount


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("echo hello", "hello\n"),
        ("echo a; echo b", "a\nb\n"),
        ("true && echo yes || echo no", "yes\n"),
        ("false && echo yes || echo no", "no\n"),
        ("X=1; echo $X ${X}2 '$X' \"$X\"", "1 12 $X 1\n"),
        ('echo "a  b" a  b', "a  b a b\n"),
        ("echo $(echo inner) `echo old`", "inner old\n"),
        ("for i in 1 2 3; do echo n$i; done", "n1\nn2\nn3\n"),
        ("i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done", "0\n1\n2\n"),
        ("until [ -f /tmp/x ]; do touch /tmp/x; echo made; done", "made\n"),
        ("if [ 1 -eq 2 ]; then echo a; elif test -n x; then echo b; else echo c; fi", "b\n"),
        ("case web-1 in db*) echo db;; web*|app*) echo web;; esac", "web\n"),
        ("echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f", "one\ntwo\n"),
        ("cat < /etc/hostname", "pod-1\n"),
        ("echo out; echo err 1>&2", "out\nerr\n"),
        ("ls /nowhere 2>/dev/null || echo gone", "gone\n"),
        ("ls /nowhere 2>&1 | grep -c No", "1\n"),
        ("seq 5 | tail -n 2 | head -1", "4\n"),
        ("yes | head -n 2", "y\ny\n"),
        ("printf '%s=%d\\n' a 1 b 2", "a=1\nb=2\n"),
        ("f() { echo arg $1; return 3; }; f x; echo $?", "arg x\n3\n"),
        ("(X=1; echo in $X); echo out $X", "in 1\nout\n"),
        ("{ echo a; echo b; } > /tmp/f; wc -l < /tmp/f", "2\n"),
        ("echo ${NAME:-nobody} ${#HOSTNAME}", "nobody 5\n"),
        ("f=a.tar.gz; echo ${f%.gz} ${f%%.*} ${f#*.} ${f##*.}", "a.tar a tar.gz gz\n"),
        ("cat <<EOF\nhost $HOSTNAME\nEOF\necho end", "host pod-1\nend\n"),
        ("echo a b c | while read x rest; do echo $rest; done", "b c\n"),
        ("! false && echo ok", "ok\n"),
        ("set -- a b; echo $# $2; shift; echo $1", "2 b\nb\n"),
        ("sh -c 'exit 7'; echo $?", "7\n"),
        ("nonsense; echo $?", "sh: nonsense: not found\n127\n"),
        ("echo '  HTTP/1.1 200 OK' | awk '/^  HTTP/{print $2}'", "200\n"),
        ("echo a-b | sed 's/-/+/' | tr a-z A-Z", "A+B\n"),
        ("echo a:b:c | cut -d: -f2", "b\n"),
        ("for x; do echo $x; done; echo done", "done\n"),
        ("while :; do break; done; echo left", "left\n"),
        ("IFS=,; v='x,y z'; for w in $v a,b; do echo \"<$w>\"; done", "<x>\n<y z>\n<a,b>\n"),
        ("echo 'a:b c:d' | { IFS=: read x y z; echo $x-$y-$z; }", "a-b c-d\n"),
        ("echo $((0x10 + (1<<4) | 3)) $((7 % 4)) $((6 & 3))", "35 3 2\n"),
        (
            "expr 1 + 2 '*' 3; expr abc = abc; expr length four; expr v12 : 'v\\(.*\\)'",
            "7\n1\n4\n12\n",
        ),
        ("echo hello | base64; echo aGVsbG8K | base64 -d", "aGVsbG8K\nhello\n"),
        ("echo -n a | md5sum", "0cc175b9c0f1b6a831c399e269772661  -\n"),
        ("touch /t/a.txt /t/u/b.txt; find /t -name '*.txt'", "/t/a.txt\n/t/u/b.txt\n"),
        ("touch /t/u/b.txt; find /t -type d", "/t\n/t/u\n"),
        ("echo 1 2 3 | xargs -n 2 echo n", "n 1 2\nn 3\n"),
        ("echo a b | xargs -I X echo '<X>'", "<a>\n<b>\n"),
        ("chmod 600 /etc/hostname && chmod 600 /no", "chmod: /no: No such file or directory\n"),
        ("dd if=/dev/zero of=/f bs=1k count=3 2>/dev/null; du /f; cat /f | wc -c", "3\t/f\n0\n"),
        ("for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done", "1\n3\n"),
        ("mkdir -p /data/a && test -d /data/a && ls /data", "a\n"),
        ("trap 'echo bye' EXIT; echo hi", "hi\nbye\n"),
        ("sleep 1 & wait; echo waited", "waited\n"),
        ("touch /tmp/a.txt /tmp/b.txt /tmp/c.log; echo /tmp/*.txt", "/tmp/a.txt /tmp/b.txt\n"),
        ("echo '*' \"*\" no*match", "* * no*match\n"),
        ("i=1; echo $((i++)) $i $((i+=3)) $((i*2))", "1 2 5 10\n"),
        ("[[ a == a ]] && echo same", "same\n"),
        ("[ $RANDOM -ge 0 ] && echo random", "random\n"),
        ("a=1; b=$a; a=2; echo $a$b", "21\n"),
        ("echo 'a b' | { read x; echo $x; }", "a b\n"),
        ("while true; do echo y; done | head -n 1", "y\n"),
        ("(sleep 2; touch /tmp/late) | true; ls /tmp", "late\n"),
        ("date -u", "Thu Jan  1 00:00:01 UTC 2026\n"),
        (
            'a=(x "y z"); i=1; echo ${a[$i]} ${#a[@]} $a; for e in "${a[@]}"; do echo "<$e>"; done',
            "y z 2 x\n<x>\n<y z>\n",
        ),
        ("echo abc | rev", "cba\n"),
        ("[[ web-12 =~ -([0-9]+)$ ]] && echo ${BASH_REMATCH[1]} $BASH_REMATCH", "12 -12\n"),
        ("n='a b'; [[ -n $n && $n == a* ]] && echo yes; [[ $n == 'a*' ]] || echo no", "yes\nno\n"),
        ("[[ ! -f /nope && ( 2 -gt 1 || x = y ) ]] && echo ok", "ok\n"),
        (
            "[[ abc < abd ]]; echo $?; [[ -z $nothing ]]; echo $?; [[ 1+1 -eq 2 ]]; echo $?",
            "0\n0\n0\n",
        ),
        ("i=3; while [[ $i -gt 1 ]]; do echo $i; i=$((i-1)); done", "3\n2\n"),
        ("echo file > /f; echo x$(</f)x $(< /f)", "xfilex file\n"),
        ("[[ a b c d ]]; echo $?", "sh: syntax error in conditional expression\n2\n"),
    ],
)
def test_script(bench, script, printed):
    assert bench.sh(script) == printed


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 3", 3), ("false", 1), ("true", 0), ("nonsense", 127), ("if", 2), ("echo 'x", 2),
        ("set -e; false; echo never", 1), ("set -e; false || true; exit 5", 5),
        ("set -u; echo $NOPE", 2), ("[ a -eq 1 ]", 2), ("test -f /etc/hostname", 0),
    ],
)  # fmt: skip
def test_exit_code(bench, script, code):
    id = bench.start("busybox", "sh", "-c", script)
    bench.run(5)
    assert bench.status(id).exit_code == code


def test_sh_without_a_script_ends_at_once(bench):
    id = bench.start("busybox")
    bench.run(1)
    assert (bench.status(id).state, bench.status(id).exit_code) == (EXITED, 0)


def test_a_loop_that_does_nothing_cannot_stop_the_clock(bench):
    id = bench.start("busybox", "sh", "-c", "while true; do :; done")
    bench.run(2)
    assert bench.status(id).state == RUNNING


def test_a_shell_as_process_1_ignores_sigterm(bench):
    id = bench.start("busybox", "sh", "-c", "echo up; sleep 3600; echo down")
    bench.run(1)
    assert bench.stop(id, 30).exit_code == 137


def test_a_program_that_takes_the_shells_place_hears_no_signal_from_before(bench):
    id = bench.start("nginx", "sh", "-c", "sleep 10; exec nginx")
    began = bench.sim.now
    assert bench.stop(id, 30).exit_code == 137
    assert bench.sim.now == pytest.approx(began + 30, abs=1)


def test_a_trap_ends_the_container_at_once(bench):
    script = "trap 'echo stopping; exit 0' TERM; while true; do sleep 1; done"
    id = bench.start("busybox", "sh", "-c", script)
    bench.run(5)
    before = bench.sim.now
    assert bench.stop(id, 30).exit_code == 0
    assert bench.sim.now - before < 2
    assert bench.log(id) == "stopping\n"


def test_wait_is_interrupted_by_a_trapped_signal(bench):
    id = bench.start("busybox", "sh", "-c", "trap 'exit 9' TERM; sleep 3600 & wait")
    bench.run(1)
    before = bench.sim.now
    assert bench.stop(id, 30).exit_code == 9
    assert bench.sim.now - before < 1


def test_the_log_has_the_time_of_each_line(bench):
    id = bench.start("busybox", "sh", "-c", "echo a; sleep 5; echo b")
    bench.run(10)
    first, second = bench.containerd.log(id)
    assert second.time - first.time == pytest.approx(5, abs=0.01)


def test_containers_share_a_volume_and_read_only_mounts_refuse(bench):
    folder = Folder()
    folder.write("greeting", "hello\n")
    shared = Mount("/shared", folder)
    config = Mount("/config", folder, read_only=True)
    script = "cat /config/greeting; echo x > /config/y; echo z > /shared/z; ls /shared"
    assert bench.sh(script, mounts=(shared, config)) == (
        "hello\nsh: can't create /config/y: Read-only file system\ngreeting\nz\n"
    )
    assert folder.read("z") == "z\n"


def test_exec_runs_beside_the_main_process(bench):
    id = bench.start("busybox", "sleep", "3600", env={"COLOUR": "blue"})
    assert bench.exec(id, "sh", "-c", "echo $COLOUR; exit 4").stdout == "blue\n"
    assert bench.exec(id, "sh", "-c", "exit 4").exit_code == 4
    assert bench.exec(id, "cat", stdin="typed\n").stdout == "typed\n"
    assert "sleep 3600" in bench.exec(id, "ps").stdout
    assert bench.status(id).state == RUNNING


def test_exec_ends_with_124_when_it_takes_too_long(bench):
    id = bench.start("busybox", "sleep", "3600")
    before = bench.sim.now
    assert bench.exec(id, "sleep", "100", timeout=1).exit_code == 124
    assert bench.sim.now - before == pytest.approx(1)


def test_kill_1_from_exec_reaches_the_main_process(bench):
    id = bench.start("nginx")
    bench.run(1)
    assert bench.exec(id, "kill", "1").exit_code == 0
    bench.run(1)
    assert (bench.status(id).state, bench.status(id).exit_code) == (EXITED, 0)


def test_xtrace_shows_each_command(bench):
    assert bench.sh("X=1; echo $X", image="busybox") == "1\n"
    id = bench.start("busybox", "/bin/sh", "-exc", "X=1; echo $X")
    bench.run(1)
    assert bench.log(id) == "+ X=1\n+ echo 1\n1\n"
