using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Tests.Data.Readers;

internal sealed class RowReaderTests
{
    private PartialFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new PartialFolder(string.Empty);

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void The_ships_log_has_306_entries()
    {
        var rows = RowReader.Read(Fixtures.Path("data", "own", "ship-log.txt"));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows, Has.Count.EqualTo(306));
            Assert.That(rows[0]["text"], Does.StartWith("1 March. Alongside").And.EndsWith("enjoy."));
            Assert.That(rows[1].Line, Is.EqualTo(3));
            Assert.That(rows[^1]["text"], Does.StartWith("31 December.").And.Not.EndsWith("\n"));
        }
    }

    [Test]
    public void Text_is_parted_where_the_separator_stands_whatever_the_line_ends()
    {
        var rows = Read("a.txt", "\r\none\r\nmore\r\n---\r\n\r\ntwo\r\n---\r\n", separator: "---\r\n");

        Assert.That(rows.Select(row => (row["text"], row.Line)), Is.EqualTo([("one\nmore", 2), ("two", 6)]));
    }

    [TestCase("one\nmore\n  \ntwo\n\t\n\n", "\n\n", "1: one\nmore|4: two", TestName = "Blank lines that hold spaces part entries")]
    [TestCase(" \n\n  one\n", "\n\n", "3:   one", TestName = "Blank lines before an entry are none of it, its indentation is")]
    [TestCase("a\n \nb\n\n\nc", "\n\n\n", "1: a\n \nb|6: c", TestName = "Fewer blank lines than the separator has do not part")]
    [TestCase("a\n \nb", "\n", "1: a|3: b", TestName = "Each line may be an entry")]
    public void Blank_lines_part_entries(string text, string separator, string entries) =>
        Assert.That(Read("a.txt", text, separator).Select(row => $"{row.Line}: {row["text"]}"), Is.EqualTo(entries.Split('|')));

    [Test]
    public void Quotes_in_tsv_are_text()
    {
        var rows = Read("a.tsv", "label\tsentence\n1\tsaid \"no\", he\n0\t\"open\n");

        Assert.That(rows.Select(row => row["sentence"]), Is.EqualTo(["said \"no\", he", "\"open"]));
    }

    [TestCase("a.tsv", "text\ngood\n\nbad\n", "good||bad", TestName = "In one column a blank line is an empty field")]
    [TestCase("a.csv", "text\ngood\n\nbad\n", "good||bad", TestName = "So it is in CSV")]
    [TestCase("a.tsv", "text\tlabel\ngood\t1\n\nbad\t0\n", "good|bad", TestName = "In several columns it is nothing")]
    [TestCase("a.csv", "\ntext,label\ngood,1\nbad,0\n", "good|bad", TestName = "Before a header of CSV it is nothing")]
    [TestCase("a.csv", "text,label\ngood,1\n\nbad,0\n", "good|bad", TestName = "Nor is it in CSV")]
    public void A_blank_line_of_a_table_is_a_row_where_it_can_be_one(string name, string text, string texts) =>
        Assert.That(string.Join('|', Read(name, text).Select(row => row["text"])), Is.EqualTo(texts));

    [TestCase("mrpc", 4000)]
    [TestCase("sst2", 4000)]
    [TestCase("rte", 2490)]
    [TestCase("protein-ss3", 2000)]
    public void Real_tables_are_read_whole(string name, int rows) =>
        Assert.That(RowReader.Read(Fixtures.Path("data", "real", name, "train.tsv")), Has.Count.EqualTo(rows));

    [Test]
    public void Csv_fields_may_be_quoted_and_span_lines()
    {
        var rows = Read("a.csv", "label,text\n1,\"a, \"\"b\"\"\nc\"\n0,plain\n");

        Assert.That(rows.Select(row => (row["text"], row.Line)), Is.EqualTo([("a, \"b\"\nc", 2), ("plain", 4)]));
    }

    [Test]
    public void Jsonl_values_are_text()
    {
        var row = Read("a.jsonl", "{\"s\": \"x\\ny\", \"n\": 0.50, \"z\": null, \"b\": true, \"l\": [\"B\", 1], \"o\": {\"t\": \"in\"}, \"d\": [[1]]}\n")[0];

        Assert.That(row.Cells.Select(cell => $"{cell.Key}={cell.Value}"), Is.EqualTo(["s=x\ny", "n=0.50", "z=", "b=true", "l=B 1", "o.t=in", "d=[[1]]"]));
    }

    [TestCase("a.json", "[{\"t\": \"one\"},\n\n {\"t\": \"two\"}]\n", "1: one|3: two", TestName = "Json may be one array")]
    [TestCase("a.jsonl", " [\n{\"t\":\n\"one\"}, {\"t\": \"two\"}]", "2: one|3: two", TestName = "An array is read whatever its extension")]
    [TestCase("a.json", "{\"t\": \"one\"}\n{\"t\": \"two\"}", "1: one|2: two", TestName = "Json may be one object a line")]
    [TestCase("a.json", "{\n\"t\": \"one\"\n}\n{\"t\": \"two\"\n}", "1: one|4: two", TestName = "Objects may span lines")]
    [TestCase("a.jsonl", "{\"t\": \"\\ud83d\\ude00\"}", "1: 😀", TestName = "Whole surrogate pairs are characters")]
    [TestCase("a.tsv", "\uFEFFt\rone\rtwo\r", "2: one|3: two", TestName = "Lines of a table may end as on an old Mac")]
    [TestCase("a.csv", "t\rone\r\"two\"", "2: one|3: two", TestName = "Records may end as on an old Mac")]
    [TestCase("a.tsv", "t\r\r\none\r\r\n", "2: one", TestName = "Line ends that were translated twice are one")]
    [TestCase("a.txt", "one\r\rtwo\r", "1: one|3: two", TestName = "Blank lines may end as on an old Mac")]
    public void Rows_are_the_same_however_a_file_was_saved(string name, string text, string rows)
    {
        var column = name == "a.txt" ? "text" : "t";

        Assert.That(Read(name, text).Select(row => $"{row.Line}: {row[column]}"), Is.EqualTo(rows.Split('|')));
    }

    [Test]
    public void Fasta_headers_give_columns()
    {
        var rows = Read("a.fasta", ">P1 TARGET=0.5 SET=train\nMK\nTA\n\n>P2\nGG");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                rows[0].Cells.Select(cell => $"{cell.Key}: {cell.Value}"),
                Is.EqualTo(["id: P1", "description: TARGET=0.5 SET=train", "sequence: MKTA", "TARGET: 0.5", "SET: train"]));
            Assert.That((rows[1]["id"], rows[1]["sequence"], rows[1].Line), Is.EqualTo(("P2", "GG", 5)));
        }
    }

    [TestCase("a.tsv", "a\tb\n1\t2\n3\n", 3, "1 field, the header has 2")]
    [TestCase("a.tsv", "a\ta\n", 1, "'a' twice")]
    [TestCase("a.csv", "a,b\n1,2\n1,2,3\n", 3, "3 fields, the header has 2")]
    [TestCase("a.csv", "a,b\n1,2\n\"\"\n3,4\n", 3, "1 field, the header has 2")]   // quoted, so it is no blank line
    [TestCase("a.csv", "a,b\n1,x \"y\" z\n", 2, "quote")]
    [TestCase("a.jsonl", "{\"a\": 1}\n{\"a\": \n", 2, "not a JSON object")]
    [TestCase("a.jsonl", "[1]\n", 1, "not a JSON object")]
    [TestCase("a.json", "[\n{\"a\": 1},\n{\"a\": \n", 4, "one array of objects")]
    [TestCase("a.json", "[{\"a\": 1},\n[]]", 2, "not a JSON object")]
    [TestCase("a.jsonl", "{\"a\": 1}\n{\"a\": \"x\", \"b\": \"cut \\ud83d\"}\n", 2, "half of a surrogate pair")]
    [TestCase("a.jsonl", "{\"a\": 1}\n{\"\\ude00\": 1}\n", 2, "half of a surrogate pair")]
    [TestCase("a.json", "[{\"a\": 1},\n{\"a\": [\"\\ud83d\"]}]", 2, "half of a surrogate pair")]
    [TestCase("a.fasta", "MKTA\n", 1, "starts with '>'")]
    [TestCase("a.fasta", ">P1\n>P2\nMK\n", 1, "no sequence")]
    public void A_bad_line_is_named(string name, string text, int line, string what)
    {
        var path = _folder.Write(name, text);

        Assert.That(() => RowReader.Read(path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT506")
            .And.Message.StartsWith($"{path}, line {line}: ").And.Message.Contains(what));
    }

    [Test]
    public void Text_that_is_not_UTF_8_is_refused_with_its_line()
    {
        var path = Path.Combine(_folder.Path, "a.txt");
        File.WriteAllBytes(path, [(byte)'a', (byte)'\n', 0xE9, (byte)'\n']);

        Assert.That(() => RowReader.Read(path), Throws.TypeOf<LortaException>().With.Message.EqualTo($"{path}, line 2: the text is not UTF-8."));
    }

    [Test]
    public void A_missing_column_lists_those_there_are_and_the_one_meant()
    {
        var row = Read("a.tsv", "label\tSentence\n1\tx\n")[0];

        Assert.That(() => row["sentence"], Throws.TypeOf<LortaException>().With.Message.Contains("there is no column 'sentence'; there are label, Sentence.")
            .And.Property("Hint").Contains("'Sentence'"));
    }

    [TestCase("a.parquet", null, "LRT507")]
    [TestCase("a.txt", "xml", "LRT507")]
    [TestCase("a.txt", null, "LRT508")]
    public void Unknown_formats_and_empty_files_are_refused(string name, string? format, string code)
    {
        var path = _folder.Write(name, "\n \n");

        Assert.That(() => RowReader.Read(path, format), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo(code));
    }

    [Test]
    public void A_missing_file_is_named() =>
        Assert.That(() => RowReader.Read(Path.Combine(_folder.Path, "no.tsv")), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT101"));

    private IReadOnlyList<DataRow> Read(string name, string text, string separator = RowReader.BlankLine) => RowReader.Read(_folder.Write(name, text), separator: separator);
}
