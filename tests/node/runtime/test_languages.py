"""awk, sed and the shell's arithmetic: what their programs print."""

from __future__ import annotations

import doctest

import pytest

from k8slab.node.runtime.images.busybox import (
    arithmetic,
    awk_syntax,
    awk_values,
    sed_syntax,
    standalone,
)

LINES = "alice 30 x\nbob 25 y\ncarol 41 z\n\n# note\ndave 9 x\n"


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("NR==2", "bob 25 y\n"),
        ("/o/{n++} END{print n}", "3\n"),
        ("$2 > 26 {print $1, $2}", "alice 30\ncarol 41\n# note\n"),
        ("{a[$3] += $2} END{print a[\"x\"], a[\"y\"]}", "39 25\n"),
        ("!/^#/ && NF {print $NF}", "x\ny\nz\nx\n"),
        ("/bob/,/carol/{print NR}", "2\n3\n"),
        ("NR<3{printf \"%-6s|%3d|%.1f\\n\", $1, $2, $2/3}", "alice | 30|10.0\nbob   | 25|8.3\n"),
        ("NR==1{sub(/l/, \"<&>\"); gsub(/[xi]/, \"-\"); print}", "a<l>-ce 30 -\n"),
        ("NR==1{$2 = \"\"; print; $5 = \"new\"; print NF}", "alice  x\n5\n"),
        ("NR==1{print; next} END{print NR, $1}", "alice 30 x\n6 dave\n"),
        ("NR==2{exit 3} END{print \"end\"}", "end\n"),
        ("BEGIN{for (i=1; i<5; i++) {if (i==2) continue; if (i==4) break; print i}}", "1\n3\n"),
        ("BEGIN{do print i++; while (i<2); while (i>0) i--; print i}", "0\n1\n0\n"),
        ("function f(n) {return n<2 ? 1 : n*f(n-1)} BEGIN{print f(5)}", "120\n"),
        ("BEGIN{n = split(\"a:b:c\", p, \":\"); print n p[3]; delete p[1]; print length(p)}",
         "3c\n2\n"),
        ("BEGIN{print substr(\"hello\", 2, 3), index(\"hello\", \"l\"), toupper(\"ab\")}",
         "ell 3 AB\n"),
        ("BEGIN{print match(\"foobar\", /o+/), RSTART, RLENGTH}", "2 2 2\n"),
        ("BEGIN{print 1e3, 0.1+0.2, 7%3, 2^10, -3, \"a\" \"b\" 1+2, (10 > 9)}",
         "1000 0.3 1 1024 -3 ab3 1\n"),
        ("BEGIN{print 10/4, 1==1.0, (\"10\" > \"9\")}", "2.5 1 0\n"),
        ("BEGIN{a[1,2] = 3; if ((1,2) in a) print \"in\"; x = y = 2; print x++ + ++y, x}",
         "in\n5 3\n"),
        ("BEGIN{FS=\"a\"} NR==1{print $2}", "lice 30 x\n"),
        ("BEGIN{OFS=\"-\"; $0 = \"a b c\"; $1 = $1; print}", "a-b-c\n"),
        ("BEGIN{print \"to the file\" > \"/tmp/f\"; print \"out\"}", "out\n"),
        ("length > 9 {print length($0)}", "10\n10\n"),
        ("BEGIN{print ENVIRON[\"PLACE\"] \"|\" ENVIRON[\"NO\"]}", "/home/me|\n"),
    ],
)  # fmt: skip
def test_awk(bench, program, printed):
    id = bench.start("busybox", "sleep", "9999", env={"PLACE": "/home/me"})
    result = bench.exec(id, "awk", program, stdin=LINES)
    assert result.stderr == ""
    assert result.stdout == printed
    assert result.exit_code == (3 if "exit 3" in program else 0)


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["{print $1"], 1, "awk: cmd. line:1: Unexpected token\n"),
        (["BEGIN{print 1/0}"], 1, "awk: cmd. line:1: Division by zero\n"),
        (["BEGIN{nope()}"], 1, "awk: cmd. line:1: Call to undefined function: nope\n"),
        (["BEGIN{print | \"sh\"}"], 1, "awk: cmd. line:1: output to commands is not simulated\n"),
    ],
)  # fmt: skip
def test_what_awk_refuses(bench, words, code, error):
    id = bench.start("busybox", "sleep", "9999")
    result = bench.exec(id, "awk", *words, stdin="")
    assert (result.exit_code, result.stderr) == (code, error)


def test_awk_takes_a_separator_variables_and_files(bench):
    script = (
        "echo a:b > /f; awk -F: -v who=me '{print $2, who}' /f; "
        "echo '{print $1}' > /p; awk -F : -f /p /f"
    )
    assert bench.sh(script) == "b me\na\n"


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["-n", "2p"], "bob 25 y\n"),
        (["-n", "$p;1p"], "alice 30 x\ndave 9 x\n"),
        (["2,$d"], "alice 30 x\n"),
        (["/^$/d;/^#/d;2,3d"], "alice 30 x\ndave 9 x\n"),
        (["-n", "/bob/,/note/p"], "bob 25 y\ncarol 41 z\n\n# note\n"),
        (["-n", "/bob/,+1p"], "bob 25 y\ncarol 41 z\n"),
        (["-n", "0~3p"], "carol 41 z\ndave 9 x\n"),
        (["2,6d;s/a/A/"], "Alice 30 x\n"),
        (["-e", "3,$d", "-e", "s/[0-9]/<&>/2"], "alice 3<0> x\nbob 2<5> y\n"),
        (["-E", "3,$d;s/([a-z]+) ([0-9]+)/\\2 \\1/"], "30 alice x\n25 bob y\n"),
        (["2,$d;s/\\([a-z]*\\) /\\1-/"], "alice-30 x\n"),
        (["-n", "s/x$/X/p"], "alice 30 X\ndave 9 X\n"),
        (["2q;s|/|-|"], "alice 30 x\nbob 25 y\n"),
        (["2,$d;i\\\nfirst"], "first\nalice 30 x\n"),
        (["2,$d;1a last"], "alice 30 x\nlast\n"),
        (["1c\\changed\n2,$d"], "changed\n"),
        (["2,$d;y/abc/ABC/"], "AliCe 30 x\n"),
        (["3,$d;/alice/!s/^/# /"], "alice 30 x\n# bob 25 y\n"),
        (["3,$d;/bob/{s/25/26/;s/y/w/}"], "alice 30 x\nbob 26 w\n"),
        (["-n", "1{N;s/\\n/+/p}"], "alice 30 x+bob 25 y\n"),
        (["-n", "1h;2{G;p}"], "bob 25 y\nalice 30 x\n"),
        (["-n", "$="], "6\n"),
    ],
)
def test_sed(bench, words, printed):
    id = bench.start("busybox", "sleep", "9999")
    result = bench.exec(id, "sed", *words, stdin=LINES)
    assert (result.stdout, result.stderr, result.exit_code) == (printed, "", 0)


def test_sed_edits_files_in_place_and_refuses_what_it_does_not_know(bench):
    assert bench.sh("echo a > /f; sed -i s/a/b/ /f; cat /f; sed k /f") == (
        "b\nsed: unsupported command k\n"
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 > 1 ? 5 : 6", "5"),
        ("1 == 1 && 0 || 3", "1"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("!0 + ~0", "0"),
        ("1 << 3 | 1 ^ 1", "8"),
        ("017 + 0x1f", "46"),
        ("0 && (n = 1), n", "0"),
        ("n += 2, n * n", "4"),
        ("2 ** 3 ** 2", "512"),
        ("m", "7"),
    ],
)
def test_arithmetic_is_that_of_c(bench, expression, value):
    assert bench.sh(f"m='3 + 4'; echo $(({expression}))") == f"{value}\n"


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("echo $((1 +))", "sh: arithmetic syntax error\n"),
        ("echo $((1 / 0))", "sh: divide by zero\n"),
        ("set -u; echo ${x:-unset}; echo $x", "unset\nsh: x: parameter not set\n"),
        ("cd /tmp; cd /etc; cd -; pwd", "/tmp\n/tmp\n"),
        ("cd /nowhere || echo stays", "sh: cd: can't cd to /nowhere: No such file or directory\n"
         "stays\n"),
        ("printf '%5.2f|%-4s|%b|%x|%o\\n' 3.14159 a 'b\\tc' 255 8", " 3.14|a   |b\tc|ff|10\n"),
        ("printf 'b 2\\na 10\\nc 1\\n' | sort -k2 -n", "c 1\nb 2\na 10\n"),
        ("echo 'aa  bb' | tr -s ' '; echo a1b2 | tr -cd '0-9\n'", "aa bb\n12\n"),
        ("date -u -d @86400 +%F; date -d nonsense", "1970-01-02\ndate: invalid date 'nonsense'\n"),
        ("printf '' | xargs -r echo none; echo a b | xargs -n1 echo", "a\nb\n"),
        ("[ -x /bin/sh ] && [ ! -x /bin/nope ] && grep -c root /etc/passwd", "1\n"),
    ],
)  # fmt: skip
def test_small_things_that_scripts_do(bench, script, printed):
    assert bench.sh(script) == printed


def test_their_examples_are_true():
    for module in (arithmetic, awk_syntax, awk_values, sed_syntax, standalone):
        assert doctest.testmod(module).failed == 0
