using System.Globalization;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>Predictions of the bundled encoder with an adapter that was trained for a few steps, and of a token classifier.</summary>
internal sealed class PredictVerbTests
{
    private TestFolder _trained = null!;
    private TestFolder _folder = null!;

    private string Recipe => _trained["recipe.yaml"];

    private string Adapter => _trained["run", "adapter"];

    private string Model => Path.Combine(Fixtures.Repository, "models", "roberta-mini");

    private string Rows => _trained["validation.tsv"];

    [OneTimeSetUp]
    public void Train()
    {
        _trained = new();
        var lines = File.ReadAllLines(Path.Combine(Fixtures.Repository, "models", "data", "reviews.tsv"));
        File.WriteAllLines(_trained["train.tsv"], lines[..200]);
        File.WriteAllLines(_trained["validation.tsv"], [lines[0], .. lines[200..260]]);
        _trained.Write("recipe.yaml", $$"""
            model: {{Model}}
            task: classification
            adapter: { method: lorta, rank: 4, alpha: 16, targets: [q, v] }
            trainables: [{ match: "classifier.*", lr: 2e-3 }]
            data:
              train: train.tsv
              validation: validation.tsv
              columns: { text: sentence }
              labels: [negative, positive]
              maxLength: 24
            train: { steps: 50, batchSize: 8, optimizer: { lr: 2e-3 }, evaluateEvery: never }
            output: run
            """);
        var run = CommandLine.Run("train", Recipe, "--quiet");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }

    [OneTimeTearDown]
    public void DeleteTrained() => _trained.Dispose();

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void Accuracy_of_the_predictions_is_that_of_evaluate()
    {
        var evaluated = CommandLine.Run("evaluate", Recipe, "--adapter", Adapter, "--json");
        var accuracy = JsonNode.Parse(evaluated.Output)!["metrics"]!["accuracy"]!.GetValue<double>();

        var table = Predicted(Recipe, "--adapter", Adapter, "--input", Rows);

        string[] names = ["negative", "positive"];
        var correct = table.Count(row => names[int.Parse(row["input.label"], CultureInfo.InvariantCulture)] == row["label"]);
        Assert.That((double)correct / table.Count, Is.EqualTo(accuracy).Within(1e-12));
        Assert.That(table.Select(row => row["label"]).Distinct().Count(), Is.EqualTo(2), "both classes are predicted");
    }

    [TestCase("predict {recipe} --adapter {adapter} --input {rows} -o {out} --set data.labels=[positive,negative]")]
    [TestCase("evaluate {recipe} --adapter {adapter} --set data.labels=[positive,negative]")]
    public void Classes_in_another_order_than_the_adapter_learned_are_refused(string command)
    {
        var run = Run(command);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("LRT636").And.Contain("was trained with the classes negative, positive; the recipe names positive, negative."));
    }

    [Test]
    public void A_row_has_its_own_columns_then_label_score_and_a_probability_of_each_class()
    {
        var table = Predicted(Recipe, "--adapter", Adapter, "--input", Rows);

        Assert.That(table[0].Keys, Is.EqualTo(new[] { "input.label", "sentence", "label", "score", "negative", "positive" }));
        foreach (var row in table)
        {
            var (negative, positive) = (Number(row["negative"]), Number(row["positive"]));
            Assert.That(negative + positive, Is.EqualTo(1).Within(1e-6));
            Assert.That(Number(row["score"]), Is.EqualTo(Math.Max(negative, positive)));
            Assert.That(row["label"], Is.EqualTo(positive > negative ? "positive" : "negative"));
        }
    }

    [Test]
    public void Rows_keep_their_order_and_number_whatever_the_batches()
    {
        var inBatches = Predicted(Recipe, "--adapter", Adapter, "--input", Rows);
        var oneByOne = Predicted(Recipe, "--adapter", Adapter, "--input", Rows, "--set", "train.batchSize=1", "--set", "data.bucketing=false");

        var sentences = File.ReadLines(Rows).Skip(1).Select(line => line.Split('\t')[1]);
        Assert.That(inBatches.Select(row => row["sentence"]), Is.EqualTo(sentences));
        Assert.That(inBatches.Select(row => Number(row["positive"])), Is.EqualTo(oneByOne.Select(row => Number(row["positive"]))).Within(1e-5));
        Assert.That(inBatches.Select(row => row["positive"]).Distinct().Count(), Is.GreaterThan(50), "rows differ");
    }

    [Test]
    public void Rows_that_do_not_fit_are_counted_and_stay()
    {
        var rows = _folder.Write("rows.tsv", $"sentence\nshort\n{string.Concat(Enumerable.Repeat("very ", 60))}long\nshort\n");

        var run = CommandLine.Run("predict", Recipe, "--adapter", Adapter, "--input", rows, "-o", _folder["out.tsv"]);

        Assert.That((run.ExitCode, File.ReadLines(_folder["out.tsv"]).Count()), Is.EqualTo((0, 4)), run.Error);
        Assert.That(run.Error, Does.Contain("1 of 3 rows was cut at 24 tokens"));
    }

    [TestCase("predict {recipe} --adapter {adapter} --input {rows} -o {out} --set data.maxLength=300")]
    [TestCase("predict {recipe} --adapter {adapter} --input {rows} -o {out} --max-length 300")]
    [TestCase("predict {model} --adapter {adapter} --input {rows} -o {out} --max-length 300")]
    [TestCase("evaluate {recipe} --adapter {adapter} --set data.maxLength=300")]
    [TestCase("train {recipe} -o {out} --set data.maxLength=300")]
    public void Rows_that_are_longer_than_the_model_reads_are_refused(string command)
    {
        var run = Run(command);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("LRT519").And.Contain("300 is more than the 256 tokens that the model reads (max_position_embeddings in "));
        Assert.That(Path.Exists(_folder["out.tsv"]), Is.False);
    }

    [Test]
    public void Json_states_rows_and_output()
    {
        var run = CommandLine.Run("predict", Recipe, "--adapter", Adapter, "--input", Rows, "-o", _folder["out.tsv"], "--json");

        var json = JsonNode.Parse(run.Output)!;
        Assert.That((json["rows"]!.GetValue<int>(), json["output"]!.GetValue<string>()), Is.EqualTo((60, _folder["out.tsv"])));
    }

    [Test]
    public void A_model_without_a_recipe_takes_task_and_labels_from_the_adapter()
    {
        var rows = Texts();

        var table = Predicted(Model, "--adapter", Adapter, "--input", rows, "--max-length", "24");

        var expected = Predicted(Recipe, "--adapter", Adapter, "--input", Rows);
        Assert.That(table[0].Keys, Is.EqualTo(new[] { "text", "label", "score", "negative", "positive" }));
        Assert.That(table.Select(row => row["score"]), Is.EqualTo(expected.Select(row => row["score"])));
    }

    [Test]
    public void The_folded_model_predicts_what_base_and_adapter_predict()
    {
        var export = CommandLine.Run("export", Model, "--adapter", Adapter, "-o", _folder["merged"]);
        Assert.That(export.ExitCode, Is.Zero, export.Error);

        var folded = Predicted(Recipe, "--model", _folder["merged"], "--input", Rows);

        var adapted = Predicted(Recipe, "--adapter", Adapter, "--input", Rows);
        Assert.That(folded.Select(row => row["label"]), Is.EqualTo(adapted.Select(row => row["label"])));
        Assert.That(folded.Select(row => Number(row["score"])), Is.EqualTo(adapted.Select(row => Number(row["score"]))).Within(1e-5));
    }

    [Test]
    public void Jsonl_keeps_what_the_columns_hold()
    {
        var rows = _folder.Write("rows.jsonl", """
            {"id": 7, "sentence": "A tab\tand a \"quote\".", "ok": true, "words": ["a", "b"], "none": null}
            {"sentence": "Bad.", "id": 1e3}

            """);

        var run = CommandLine.Run("predict", Recipe, "--adapter", Adapter, "--input", rows, "-o", _folder["out.jsonl"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var lines = File.ReadAllLines(_folder["out.jsonl"]);
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(lines[0], Does.StartWith("""{"id":7,"sentence":"A tab\tand a \"quote\".","ok":true,"words":["a", "b"],"none":null,"label":"""));
        Assert.That(lines[1], Does.StartWith("""{"sentence":"Bad.","id":1e3,"label":"""));
        Assert.That(JsonNode.Parse(lines[1])!["score"]!.GetValue<double>(), Is.InRange(0.5, 1));
    }

    [Test]
    public void Jsonl_keeps_lists_and_objects_as_they_are_on_one_line()
    {
        var rows = _folder.Write("rows.json", """
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

        var run = CommandLine.Run("predict", Recipe, "--adapter", Adapter, "--input", rows, "-o", _folder["out.jsonl"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var line = JsonNode.Parse(File.ReadAllLines(_folder["out.jsonl"]).Single())!;
        Assert.That(line["numbers"]!.ToJsonString(), Is.EqualTo("[1,2.50,true,null]"));
        Assert.That(line["words"]!.ToJsonString(), Is.EqualTo("""["two words","b"]"""));
        Assert.That(line["nested"]![0]!["a"]!.GetValue<string>(), Is.EqualTo("line\nend"));
    }

    [Test]
    public void Csv_quotes_what_Tsv_has_no_place_for()
    {
        var rows = _folder.Write("rows.jsonl", """{"sentence": "one\ttwo, three\nfour"}""" + "\n");

        var csv = CommandLine.Run("predict", Recipe, "--adapter", Adapter, "--input", rows, "-o", _folder["out.csv"]);
        var tsv = CommandLine.Run("predict", Recipe, "--adapter", Adapter, "--input", rows, "-o", _folder["out.tsv"]);

        Assert.That((csv.ExitCode, tsv.ExitCode), Is.EqualTo((0, 0)), csv.Error + tsv.Error);
        Assert.That(File.ReadAllText(_folder["out.csv"]), Does.Contain("\"one\ttwo, three\nfour\","));
        Assert.That(File.ReadAllText(_folder["out.tsv"]), Does.Contain("\none two, three four\t"));
        Assert.That(tsv.Error, Does.Contain("1 cell holds tabs or line ends"));
        Assert.That(csv.Error, Does.Not.Contain("line ends"));
    }

    [Test]
    public void Rows_come_from_standard_input()
    {
        var expected = Predicted(Recipe, "--adapter", Adapter, "--input", Rows);

        var run = CommandLine.Reading(
            File.ReadAllText(Rows), "predict", Recipe, "--adapter", Adapter, "--input", "-", "-o", _folder["stdin.tsv"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Table(_folder["stdin.tsv"]).Select(row => row["score"]), Is.EqualTo(expected.Select(row => row["score"])));
    }

    [Test]
    public void Rows_of_json_from_standard_input_need_no_format()
    {
        var run = CommandLine.Reading(
            "{\"sentence\": \"good\"}\n{\"sentence\": \"\"}\n", "predict", Recipe, "--adapter", Adapter, "--input", "-", "-o", _folder["stdin.tsv"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Table(_folder["stdin.tsv"]).Select(row => row["sentence"]), Is.EqualTo(new[] { "good", string.Empty }));
    }

    [Test]
    public void A_sequence_gets_one_label_per_letter()
    {
        var rows = _folder.Write("rows.fasta", ">a first\nMKTA\nYIAK\n>b\nMK\n>c\n" + new string('A', 40) + "\n");

        var table = Predicted(Exports.Path("esm-mini/tokencls.ts-sdpa"), "--tokenizer", Fixtures.Path("models", "esm-mini"),
            "--input", rows, "--max-length", "20");

        Assert.That(table.Select(row => row["id"]), Is.EqualTo(new[] { "a", "b", "c" }));
        Assert.That(table.Select(row => row["labels"].Split(' ').Length), Is.EqualTo(new[] { 8, 2, 40 }));
        Assert.That(table[2]["labels"].Split(' ').Count(label => label == "?"), Is.EqualTo(22), "18 of 40 letters fit");
        Assert.That(table[0]["labels"], Does.Not.Contain("?"));
    }

    [Test]
    public void Accuracy_of_predicted_letters_is_that_of_evaluate()
    {
        var lines = File.ReadLines(Fixtures.Path("data", "real", "protein-ss3", "validation.tsv")).Take(13).ToList();
        var rows = _folder.Write("rows.tsv", string.Join('\n', lines) + "\n");
        var recipe = _folder.Write("recipe.yaml", $$"""
            model: {{Exports.Path("esm-mini/tokencls.ts-sdpa")}}
            tokenizer: {{Fixtures.Path("models", "esm-mini")}}
            task: token-classification
            data: { train: rows.tsv, validation: rows.tsv, columns: { text: sequence, label: labels, mask: mask }, labels: [C, E, H], maxLength: 512 }
            """);
        var evaluated = CommandLine.Run("evaluate", recipe, "--json");
        Assert.That(evaluated.ExitCode, Is.Zero, evaluated.Error);

        var table = Predicted(recipe, "--input", rows);

        var letters = table.SelectMany(row => row["labels"].Split(' ')
                .Zip(row["input.labels"], (predicted, expected) => (predicted, expected))
                .Zip(row["mask"], (pair, mask) => (pair.predicted, pair.expected, mask)))
            .Where(letter => letter.mask == '1').ToList();
        var accuracy = (double)letters.Count(letter => letter.predicted == $"{letter.expected}") / letters.Count;
        Assert.That(accuracy, Is.EqualTo(JsonNode.Parse(evaluated.Output)!["metrics"]!["tokenAccuracy"]!.GetValue<double>()).Within(1e-9));
    }

    [Test]
    public void Numbers_that_are_not_finite_are_refused_of_tokens_too()
    {
        var model = OnnxModel.Load(Exports.Path("esm-mini/tokencls.ts-sdpa"));
        var head = ParameterNames.Of(model).First(name => name.Name == "classifier.bias").Initializer;
        var bias = model.Graph.Find(head)!;
        bias.Constant = OnnxTensor.Of<float>([.. bias.Constant!.Dims], Enumerable.Repeat(float.NaN, (int)bias.Constant.Count).ToArray());
        model.Save(_folder["nan.onnx"]);
        var rows = _folder.Write("rows.fasta", ">a\nMKTA\n");

        Refused("LRT632", "predict", _folder["nan.onnx"], "--tokenizer", Fixtures.Path("models", "esm-mini"), "--input", rows, "-o", _folder["out.tsv"]);
    }

    [Test]
    public void A_pair_that_only_later_rows_have_is_not_left_out()
    {
        var rows = _folder.Write("rows.jsonl", """
            {"text": "One."}
            {"text": "Two.", "pair": "Three."}

            """);

        Refused("LRT505", "predict", Model, "--adapter", Adapter, "--input", rows, "-o", _folder["out.tsv"]);
    }

    [Test]
    public void Standard_input_is_not_read_where_the_output_is_refused()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var shell = new Shell(output, error, CancellationToken.None) { OpenInput = () => throw new AssertionException("it was read") };

        var code = Application.Run(["predict", Recipe, "--input", "-", "-o", _folder["out.parquet"]], shell);

        Assert.That((code, error.ToString()), Is.EqualTo((2, error.ToString())));
        Assert.That(error.ToString(), Does.Contain("LRT633"));
    }

    [Test]
    public void The_task_in_the_models_metadata_goes_before_the_config_beside_it()
    {
        var folder = ModelWith("problem_type", "\"multi_label_classification\"");
        var model = OnnxModel.Load(folder);
        model.Metadata["task"] = "classification";
        model.Save(Path.Combine(folder, "model.onnx"));

        Assert.That(Predicted(folder, "--input", Texts()), Has.Count.EqualTo(60));
    }

    [TestCase("sentence\n", "LRT508")]
    [TestCase("", "LRT508")]
    [TestCase("text\nfine\n", "LRT505")]
    public void Rows_that_cannot_be_read_are_refused_in_one_sentence(string rows, string code)
    {
        var input = _folder.Write("rows.tsv", rows);

        Refused(code, "predict", Recipe, "--adapter", Adapter, "--input", input, "-o", _folder["out.tsv"]);
    }

    [Test]
    public void A_decoder_without_a_head_is_refused_in_one_sentence()
    {
        var llama = Path.Combine(Fixtures.Repository, "models", "llama-mini");

        Refused("LRT630", "predict", llama, "--input", Texts(), "-o", _folder["out.tsv"]);
    }

    [Test]
    public void A_model_alone_has_the_classes_of_its_config()
    {
        var model = ModelWith("id2label", """{"1": "good", "0": "bad"}""");

        var table = Predicted(model, "--input", Texts());

        Assert.That(table[0].Keys, Is.EqualTo(new[] { "text", "label", "score", "bad", "good" }));
    }

    [Test]
    public void Several_labels_for_a_text_are_refused() =>
        Refused("LRT634", "predict", ModelWith("problem_type", "\"multi_label_classification\""), "--input", Texts(), "-o", _folder["out.tsv"]);

    [Test]
    public void Stopped_it_leaves_nothing()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();

        var code = Application.Run(["predict", Recipe, "--input", Rows, "-o", _folder["out.tsv"]], output, error, new CancellationToken(canceled: true));

        Assert.That((code, File.Exists(_folder["out.tsv"]), output.ToString()), Is.EqualTo((130, false, string.Empty)), error.ToString());
    }

    [TestCase("out.parquet")]
    [TestCase("out.json")]
    [TestCase("-")]
    public void Another_format_of_the_output_is_refused(string output) =>
        Refused("LRT633", "predict", Recipe, "--input", Rows, "-o", output == "-" ? output : _folder[output]);

    [Test]
    public void An_existing_output_is_replaced_only_with_force()
    {
        var output = _folder.Write("out.tsv", "mine");

        Assert.That(CommandLine.Run("predict", Recipe, "--input", Rows, "-o", output).Error, Does.Contain("LRT102"));
        Assert.That(File.ReadAllText(output), Is.EqualTo("mine"));
        Assert.That(CommandLine.Run("predict", Recipe, "--input", Rows, "-o", output, "--force").ExitCode, Is.Zero);
        Assert.That(CommandLine.Run("predict", Recipe, "--input", Rows, "-o", Rows, "--force").Error, Does.Contain("LRT701"));
    }

    [TestCase("--model", "m.onnx")]
    [TestCase("--set", "data.maxLength=8")]
    public void What_is_for_recipes_is_refused_beside_a_model(string option, string value) =>
        Assert.That(CommandLine.Run("predict", Model, "--input", Rows, "-o", _folder["out.tsv"], option, value).Error, Does.Contain("LRT807"));

    private string Texts() => _folder.Write(
        "texts.tsv", "text\n" + string.Concat(File.ReadLines(Rows).Skip(1).Select(line => line.Split('\t')[1] + "\n")));

    private string ModelWith(string key, string value)
    {
        var model = Directory.CreateDirectory(_folder["model"]).FullName;
        foreach (var file in Directory.GetFiles(Model)) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(model, "config.json")))!;
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(Path.Combine(model, "config.json"), config.ToJsonString());
        return model;
    }

    private void Refused(string code, params string[] args)
    {
        var run = CommandLine.Run(args);

        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error.Split('\n').Where(line => line.StartsWith("error", StringComparison.Ordinal)).Single(), Does.Contain(code));
        Assert.That(Path.Exists(_folder["out.tsv"]), Is.False);
    }

    private CommandLine Run(string command) => CommandLine.Run([.. command.Split(' ').Select(word => word
        .Replace("{recipe}", Recipe).Replace("{model}", Model).Replace("{adapter}", Adapter).Replace("{rows}", Rows).Replace("{out}", _folder["out.tsv"]))]);

    private List<Dictionary<string, string>> Predicted(params string[] args)
    {
        var output = _folder[$"predicted-{_folder.Entries.Count}.tsv"];
        var run = CommandLine.Run(["predict", .. args, "-o", output]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return Table(output);
    }

    private static List<Dictionary<string, string>> Table(string path)
    {
        var lines = File.ReadAllLines(path);
        var names = lines[0].Split('\t');
        return [.. lines.Skip(1).Select(line => names.Zip(line.Split('\t')).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal))];
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
