# jinja2, mako, chevron, markdown, mistune, markdown-it-py: templates and Markdown
import asyncio
import chevron
import jinja2
import mako.template
import markdown
import markdown_it
import mistune

DATA = {"name": "<Ann>", "pets": ["Rex", "Tom"]}
TEXT = "# Título\n\n- *a*\n- [b](c)\n"


def handler(event, context):
    environment = jinja2.Environment(
        autoescape=True,
        enable_async=True,
        loader=jinja2.DictLoader(
            {
                "base": "[{% block b %}{% endblock %}]",
                "page": "{% extends 'base' %}{% block b %}{{ name|upper }}{% for p in pets %}{{ loop.index }}{{ p }}{% endfor %}{% endblock %}",
            }
        ),
    )
    try:
        jinja2.Template("{% if %}")
    except jinja2.TemplateSyntaxError as error:
        wrong = error.lineno
    return [
        asyncio.run(environment.get_template("page").render_async(DATA)),
        wrong,
        mako.template.Template("% for p in pets:\n${p | h}\n% endfor\n").render(**DATA),
        chevron.render("{{name}}{{#pets}}{{.}}{{/pets}}", DATA),
        markdown.markdown(TEXT, extensions=["tables"]),
        mistune.html(TEXT),
        markdown_it.MarkdownIt().render(TEXT),
    ]
