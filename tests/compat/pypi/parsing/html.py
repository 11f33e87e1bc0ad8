# lxml, beautifulsoup4, html5lib, cssselect, parsel, bleach, html2text, defusedxml: HTML and XML read, queried, changed, cleaned
import bleach
import defusedxml.ElementTree
import html2text
import lxml.etree
import lxml.html
from bs4 import BeautifulSoup
from parsel import Selector

TEXT = "<ul><li class=a>é</li><li>b<b>c</b></li></ul>"


def handler(event, context):
    told = [
        [item.get_text() for item in BeautifulSoup(TEXT, kind).select("li")]
        for kind in ("lxml", "html5lib", "html.parser")
    ]
    root = lxml.etree.fromstring('<a xmlns:x="u"><x:b n="1">t</x:b></a>')
    xslt = lxml.etree.XSLT(
        lxml.etree.XML(
            '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><r><xsl:value-of select="//@n"/></r></xsl:template></xsl:stylesheet>'
        )
    )
    try:
        lxml.etree.fromstring("<a>")
    except lxml.etree.XMLSyntaxError as error:
        wrong = error.lineno
    try:
        defusedxml.ElementTree.fromstring('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    except defusedxml.EntitiesForbidden as error:
        refused = type(error).__name__
    return told + [
        root.xpath("//x:b/@n", namespaces={"x": "u"}),
        str(xslt(root)).strip(),
        wrong,
        refused,
        lxml.html.fromstring(TEXT).cssselect("li.a")[0].text,
        Selector(TEXT).css("li::text").getall(),
        bleach.clean("<script>x</script><b>y</b>", tags={"b"}),
        html2text.html2text("<h1>a</h1><em>b</em>").strip(),
    ]
