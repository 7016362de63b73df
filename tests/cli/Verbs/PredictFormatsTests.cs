using System.Text.Json.Nodes;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>Formats of rows and predictions.</summary>
internal sealed class PredictFormatsTests
{
    private TrainedEncoder _trained = null!;
    private Predictions _predict = null!;

    [OneTimeSetUp]
    public void Train() => _trained = Predictions.Train();

    [OneTimeTearDown]
    public void DeleteTrained() => _trained.Dispose();

    [SetUp]
    public void Make() => _predict = new(_trained);

    [TearDown]
    public void Delete() => _predict.Dispose();

    [Test]
    public void Jsonl_keeps_what_the_columns_hold()
    {
        var rows = _predict.Folder.Write("rows.jsonl", """
            {"id": 7, "sentence": "A tab\tand a \"quote\".", "ok": true, "words": ["a", "b"], "none": null}
            {"sentence": "Bad.", "id": 1e3}

            """);

        var run = CommandLine.Run("predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", rows, "-o", _predict.Folder["out.jsonl"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var lines = File.ReadAllLines(_predict.Folder["out.jsonl"]);
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(lines[0], Does.StartWith("""{"id":7,"sentence":"A tab\tand a \"quote\".","ok":true,"words":["a", "b"],"none":null,"label":"""));
        Assert.That(lines[1], Does.StartWith("""{"sentence":"Bad.","id":1e3,"label":"""));
        Assert.That(JsonNode.Parse(lines[1])!["score"]!.GetValue<double>(), Is.InRange(0.5, 1));
    }

    [Test]
    public void Jsonl_keeps_lists_and_objects_as_they_are_on_one_line()
    {
        var rows = _predict.Folder.Write("rows.json", """
            [
              {
                "sentence": "Good.",
                "numbers": [1, 2.50, true, null],
                "words": ["two words", "b"],
                "nested": [
                  { "a": "line\nend" },
                  [1]
                ]
              }
            ]
            """);

        var run = CommandLine.Run("predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", rows, "-o", _predict.Folder["out.jsonl"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var line = JsonNode.Parse(File.ReadAllLines(_predict.Folder["out.jsonl"]).Single())!;
        Assert.That(line["numbers"]!.ToJsonString(), Is.EqualTo("[1,2.50,true,null]"));
        Assert.That(line["words"]!.ToJsonString(), Is.EqualTo("""["two words","b"]"""));
        Assert.That(line["nested"]![0]!["a"]!.GetValue<string>(), Is.EqualTo("line\nend"));
    }

    [Test]
    public void Csv_quotes_what_Tsv_has_no_place_for()
    {
        var rows = _predict.Folder.Write("rows.jsonl", """{"sentence": "one\ttwo, three\nfour"}""" + "\n");

        var csv = CommandLine.Run("predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", rows, "-o", _predict.Folder["out.csv"]);
        var tsv = CommandLine.Run("predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", rows, "-o", _predict.Folder["out.tsv"]);

        Assert.That((csv.ExitCode, tsv.ExitCode), Is.EqualTo((0, 0)), csv.Error + tsv.Error);
        Assert.That(File.ReadAllText(_predict.Folder["out.csv"]), Does.Contain("\"one\ttwo, three\nfour\","));
        Assert.That(File.ReadAllText(_predict.Folder["out.tsv"]), Does.Contain("\none two, three four\t"));
        Assert.That(tsv.Error, Does.Contain("1 cell holds tabs or line ends"));
        Assert.That(csv.Error, Does.Not.Contain("line ends"));
    }

    [Test]
    public void Rows_come_from_standard_input()
    {
        var expected = _predict.Predicted(_predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows);

        var run = CommandLine.Reading(
            File.ReadAllText(_predict.Rows), "predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", "-", "-o", _predict.Folder["stdin.tsv"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Predictions.Table(_predict.Folder["stdin.tsv"]).Select(row => row["score"]), Is.EqualTo(expected.Select(row => row["score"])));
    }

    [Test]
    public void Rows_of_json_from_standard_input_need_no_format()
    {
        var run = CommandLine.Reading(
            "{\"sentence\": \"good\"}\n{\"sentence\": \"\"}\n", "predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", "-", "-o", _predict.Folder["stdin.tsv"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Predictions.Table(_predict.Folder["stdin.tsv"]).Select(row => row["sentence"]), Is.EqualTo(new[] { "good", string.Empty }));
    }
}
