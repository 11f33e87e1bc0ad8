# regex, pyparsing, lark, chardet, charset-normalizer, python-slugify, unidecode, rapidfuzz, phonenumbers, tabulate, feedparser: texts matched, parsed, guessed, compared
import chardet
import charset_normalizer
import feedparser
import lark
import phonenumbers
import pyparsing
import regex
import slugify
import tabulate
import unidecode
from rapidfuzz import fuzz, process


def handler(event, context):
    grammar = lark.Lark("""start: NUMBER ("+" NUMBER)*
        %import common.NUMBER
        %ignore " " """)
    words = pyparsing.DelimitedList(pyparsing.Word(pyparsing.alphas))
    text = "Grüße aus München, schöne Straße, ".encode("latin-1") * 5
    return [
        regex.findall(r"\p{Lu}\p{Ll}+", "Ünder Ärzten"),
        regex.search(r"(?:cats){e<=1}", "cuts").group(),
        [token.value for token in grammar.parse("1 + 22").children],
        words.parse_string("a,b").as_list(),
        bool(chardet.detect(text)["encoding"]),
        str(charset_normalizer.from_bytes("日本語のテキスト".encode("utf-8") * 5).best().encoding),
        slugify.slugify("Ünder & Über"),
        unidecode.unidecode("日本"),
        process.extractOne("appel", ["apple", "pear"], scorer=fuzz.ratio)[0],
        phonenumbers.format_number(phonenumbers.parse("030 123456", "DE"), phonenumbers.PhoneNumberFormat.E164),
        tabulate.tabulate([["é", 1]], ["a", "b"]),
        feedparser.parse('<rss version="2.0"><channel><item><title>t</title></item></channel></rss>').entries[0].title,
    ]
