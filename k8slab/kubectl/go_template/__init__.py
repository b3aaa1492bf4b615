r"""Go templates, as `-o go-template` has them.

    {{range .items}}{{.metadata.name}}{{"\n"}}{{end}}   {{with .spec}}..{{else}}..{{end}}
    {{range $i, $pod := .items}}{{$i}}{{end}}           {{.data.pw | base64decode | printf "%s!"}}

`lexing` cuts the text into tokens, `parsing` makes nodes of them, `running` walks these with the
data, and `functions` has what can be called.

Rule of use: `parse(text).render(data)`; TemplateError and RunError carry Go's words.

Upstream: text/template of Go's standard library, staging/src/k8s.io/cli-runtime/pkg/printers
"""

from __future__ import annotations

from k8slab.kubectl.go_template.errors import RunError, TemplateError
from k8slab.kubectl.go_template.functions import go_text
from k8slab.kubectl.go_template.parsing import parse_text
from k8slab.kubectl.go_template.running import Template

__all__ = ["RunError", "Template", "TemplateError", "go_text", "parse"]


def parse(text: str, *, strict: bool = False) -> Template:
    """Return the template; with `strict` a key that is missing is an error when it is asked for.

    Raises TemplateError if the text is no template.
    """
    return Template(text, parse_text(text), strict=strict)
