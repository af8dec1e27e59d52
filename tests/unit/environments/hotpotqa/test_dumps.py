import bz2
import gzip
import io
import json
import tarfile

import pytest

from spanwise.environments.hotpotqa.corpus import read_pages
from spanwise.environments.hotpotqa.dumps import read_dump, write_corpus
from spanwise.environments.hotpotqa.records import Page
from spanwise.errors import TaskDataError

RECORDS = [
    {"id": "12", "title": "Anarchism", "text": ["Anarchism is é.", " It is old."], "charoffset": []},
    {"id": "13", "title": "Empty", "text": [""]},
    {"id": "14", "title": "Autism", "text": ["Autism is a thing."]},
]
PAGES = [Page("Anarchism", ("Anarchism is é.", " It is old.")), Page("Autism", ("Autism is a thing.",))]
XML = """<feed>
<doc><title>Wikipedia: Anarchism</title><url>u</url><abstract>Anarchism is &amp; was. It is old. B.C.</abstract>
<links><sublink linktype="nav"><anchor>x</anchor></sublink></links></doc>
<doc><title>Wikipedia: Empty</title><abstract /></doc>
<doc><title>Wikipedia: Autism</title><abstract>Autism is a thing.</abstract></doc>
</feed>"""


def packed(records=RECORDS) -> bytes:
    return bz2.compress("".join(json.dumps(record) + "\n" for record in records).encode())


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "enwiki-abstracts.tar.bz2"
    with tarfile.open(path, "w:bz2") as tar:
        for name, content in (
            ("enwiki/AA/wiki_00.bz2", packed(RECORDS[:2])),
            ("enwiki/AB/wiki_00.bz2", packed(RECORDS[2:])),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_the_archive_the_folder_and_a_file_of_it(archive, tmp_path):
    assert list(read_dump(archive)) == PAGES
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert list(read_dump(tmp_path / "unpacked")) == PAGES
    assert list(read_dump(tmp_path / "unpacked/enwiki/AB/wiki_00.bz2")) == PAGES[1:]


@pytest.mark.parametrize("name", ["abstract.xml", "abstract.xml.gz"])
def test_wikimedia_s_abstracts(tmp_path, name):
    content = XML.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert list(read_dump(tmp_path / name)) == [
        Page("Anarchism", ("Anarchism is & was.", " It is old.", " B.C.")),
        Page("Autism", ("Autism is a thing.",)),
    ]


def test_a_corpus_is_written_whole_and_replaces_what_was_there(archive, tmp_path):
    folder = tmp_path / "data"
    write_corpus(archive, folder, lambda pages: None)
    assert list(read_pages(folder)) == PAGES
    (folder / "corpus.jsonl").write_text("old", encoding="utf-8")
    (tmp_path / "one.bz2").write_bytes(packed(RECORDS[2:]))
    assert write_corpus(tmp_path / "one.bz2", folder, lambda pages: None).name == "corpus.jsonl.gz"
    assert list(read_pages(folder)) == PAGES[1:]
    (tmp_path / "broken.bz2").write_bytes(packed()[:-8])
    with pytest.raises(TaskDataError, match=r"broken\.bz2"):
        write_corpus(tmp_path / "broken.bz2", folder, lambda pages: None)
    assert list(read_pages(folder)) == PAGES[1:]
    assert [path.name for path in folder.iterdir()] == ["corpus.jsonl.gz"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bz2", packed([{"title": "x", "text": [["a"]]}]), r"a\.bz2: line 1: expected a title and a text"),
        ("a.bz2", packed([RECORDS[0], ["x"]]), r"a\.bz2: line 2: expected a title"),
        ("a.bz2", bz2.compress(b"{oops"), r"a\.bz2: line 1: "),
        ("a.bz2", b"no archive", r"a\.bz2"),
        ("a.tar.bz2", b"no archive", r"a\.tar\.bz2: cannot be read"),
        ("a.xml", XML[:-20].encode(), r"a\.xml: not XML"),
        ("a.xml.gz", gzip.compress(XML.encode())[:-12], r"a\.xml\.gz"),
        ("a.xml", b"<feed></feed>", "holds no page"),
        ("a.zip", b"", "unknown kind of dump"),
    ],
)
def test_a_damaged_dump_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TaskDataError, match=message):
        write_corpus(tmp_path / name, tmp_path / "data", lambda pages: None)


def test_a_missing_dump_is_named(tmp_path):
    with pytest.raises(TaskDataError, match=r"no\.bz2: cannot be read"):
        list(read_dump(tmp_path / "no.bz2"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(TaskDataError, match=r"holds no \.bz2 files"):
        list(read_dump(tmp_path / "empty"))
