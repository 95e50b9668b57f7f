"""pipelines/languages/fineweb2.tsv anew, from the configs of FineWeb-2.

python -m benchmarks.tabulate_languages FOLDER > pipelines/languages/fineweb2.tsv

FOLDER is `configs/` of https://github.com/huggingface/fineweb-2: a YAML file for each language and
script, with bounds and stop words that were set on its web pages and Wikipedia (arXiv 2506.20920).

A row is a language of fastText's lid.176. Of one with several scripts it has the bounds of the
usual script and the stop words of all: the label does not tell which it is. Left out are stop words
of punctuation marks alone, which rules do not look for, and those of Korean: they are particles,
which its writing joins to the words before them, and only a morphological analysis cuts off.
"""

import csv
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# Labels of lid.176, each with its ISO 639-3 code there or, of several scripts, with the usual one.
CONFIGS = """
    af:afr als:gsw am:amh an:arg ar:arb_Arab arz:arz as:asm_Beng ast:ast av:ava az:azj_Latn azb:azb
    ba:bak bar:bar bcl:bcl be:bel bg:bul bh:bho bn:ben_Beng bo:bod bpy:bpy br:bre bs:bos bxr:bxr
    ca:cat cbk:cbk ce:che ceb:ceb ckb:ckb co:cos cs:ces cv:chv cy:cym da:dan de:deu diq:diq dsb:dsb
    dty:dty dv:div el:ell eo:epo es:spa et:ekk eu:eus fa:fas fi:fin fr:fra frr:frr fy:fry ga:gle
    gd:gla gl:glg gn:gug gom:gom_Deva gu:guj_Gujr gv:glv he:heb hi:hin_Deva hif:hif hr:hrv hsb:hsb
    ht:hat hu:hun hy:hye ia:ina id:ind ie:ile ilo:ilo io:ido is:isl it:ita ja:jpn jbo:jbo jv:jav
    ka:kat kk:kaz km:khm kn:kan_Knda ko:kor krc:krc ku:kmr_Latn kv:kpv kw:cor ky:kir la:lat lb:ltz
    lez:lez li:lim lmo:lmo lo:lao lrc:lrc lt:lit lv:lvs mai:mai mg:plt mhr:mhr min:min_Latn mk:mkd
    ml:mal_Mlym mn:khk mr:mar_Deva mrj:mrj ms:zsm_Latn mt:mlt mwl:mwl my:mya myv:myv mzn:mzn nah:nhe
    nap:nap nds:nds ne:npi_Deva new:new nl:nld nn:nno no:nob oc:oci or:ory_Orya os:oss pa:pan_Guru
    pam:pam pfl:pfl pl:pol pms:pms pnb:pnb ps:pbt pt:por qu:quz rm:roh ro:ron_Latn ru:rus rue:rue
    sa:san_Deva sah:sah sc:srd scn:scn sco:sco sd:snd_Arab si:sin sk:slk sl:slv so:som sq:als
    sr:srp_Cyrl su:sun sv:swe sw:swh ta:tam_Taml te:tel_Telu tg:tgk th:tha tk:tuk_Latn tl:fil tr:tur
    tt:tat_Cyrl tyv:tyv ug:uig_Arab uk:ukr ur:urd_Arab uz:uzn_Latn vec:vec vep:vep vi:vie vls:vls
    vo:vol wa:wln war:war wuu:wuu xal:xal xmf:xmf yi:ydd yo:yor yue:yue zh:cmn
"""
JOINED = frozenset({"ko"})
SINGLE: Mapping[str, str] = {
    "language_score.min": "language_score",
    "gopher_dup_lines.max": "dup_line_frac",
    "gopher_mean_word_length.min": "min_avg_word_length",
    "gopher_mean_word_length.max": "max_avg_word_length",
    "gopher_alphabetic.min": "max_non_alpha_words_ratio",  # what its name denies: a least share
    "fineweb_line_punctuation.min": "line_punct_thr",
    "fineweb_newlines.max": "new_line_ratio",
}
SERIES: Mapping[str, str] = {"top": "top_n_grams", "dup": "dup_n_grams"}


def tabulate(folder: Path) -> Iterator[dict[str, object]]:
    """Yield a row for each language."""
    for pair in CONFIGS.split():
        language, _, code = pair.partition(":")
        paths = sorted(folder.glob(f"{code.partition('_')[0]}_*.yml"))
        usual = next(path for path in paths if path.stem.startswith(code))
        # The usual script's stop words first, then those of the others.
        configs = [_read(usual), *(_read(path) for path in paths if path != usual)]
        words = dict.fromkeys(word for one in configs for word in one["stopwords"])
        yield {
            "language": language,
            "config": usual.stem,
            "stop_words": "" if language in JOINED else " ".join(filter(_is_word, words)),
            **{name: configs[0][key] for name, key in SINGLE.items()},
            **{
                f"gopher_{kind}_{n}gram.max": bound
                for kind, key in SERIES.items()
                for n, bound in configs[0][key]
            },
        }


def _read(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return fields


def _is_word(text: str) -> bool:
    return " " not in text and any(unicodedata.category(c)[0] in "LN" for c in text)


def main() -> None:
    """Print the table."""
    rows = list(tabulate(Path(sys.argv[1])))
    writer = csv.DictWriter(sys.stdout, list(rows[0]), delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


if __name__ == "__main__":
    main()
