using System.Globalization;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>What is predicted, by a recipe and by a model alone, with an encoder that was trained for a few steps and a bundled protein model.</summary>
internal sealed class PredictVerbTests
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
    public void Accuracy_of_the_predictions_is_that_of_evaluate()
    {
        var evaluated = CommandLine.Run("evaluate", _predict.Recipe, "--adapter", _predict.Adapter, "--json");
        var accuracy = JsonNode.Parse(evaluated.Output)!["metrics"]!["accuracy"]!.GetValue<double>();

        var table = _predict.Predicted(_predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows);

        string[] names = ["negative", "positive"];
        var correct = table.Count(row => names[int.Parse(row["input.label"], CultureInfo.InvariantCulture)] == row["label"]);
        Assert.That((double)correct / table.Count, Is.EqualTo(accuracy).Within(1e-12));
        Assert.That(table.Select(row => row["label"]).Distinct().Count(), Is.EqualTo(2), "both classes are predicted");
    }

    [Test]
    public void A_row_has_its_own_columns_then_label_score_and_a_probability_of_each_class()
    {
        var table = _predict.Predicted(_predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows);

        Assert.That(table[0].Keys, Is.EqualTo(new[] { "input.label", "sentence", "label", "score", "negative", "positive" }));
        foreach (var row in table)
        {
            var (negative, positive) = (Predictions.Number(row["negative"]), Predictions.Number(row["positive"]));
            Assert.That(negative + positive, Is.EqualTo(1).Within(1e-6));
            Assert.That(Predictions.Number(row["score"]), Is.EqualTo(Math.Max(negative, positive)));
            Assert.That(row["label"], Is.EqualTo(positive > negative ? "positive" : "negative"));
        }
    }

    [Test]
    public void Rows_keep_their_order_and_number_whatever_the_batches()
    {
        var inBatches = _predict.Predicted(_predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows);
        var oneByOne = _predict.Predicted(_predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows, "--set", "train.batchSize=1", "--set", "data.bucketing=false");

        var sentences = File.ReadLines(_predict.Rows).Skip(1).Select(line => line.Split('\t')[1]);
        Assert.That(inBatches.Select(row => row["sentence"]), Is.EqualTo(sentences));
        Assert.That(inBatches.Select(row => Predictions.Number(row["positive"])), Is.EqualTo(oneByOne.Select(row => Predictions.Number(row["positive"]))).Within(1e-5));
        Assert.That(inBatches.Select(row => row["positive"]).Distinct().Count(), Is.GreaterThan(50), "rows differ");
    }

    [Test]
    public void Rows_that_do_not_fit_are_counted_and_stay()
    {
        var rows = _predict.Folder.Write("rows.tsv", $"sentence\nshort\n{string.Concat(Enumerable.Repeat("very ", 60))}long\nshort\n");

        var run = CommandLine.Run("predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", rows, "-o", _predict.Folder["out.tsv"]);

        Assert.That((run.ExitCode, File.ReadLines(_predict.Folder["out.tsv"]).Count()), Is.EqualTo((0, 4)), run.Error);
        Assert.That(run.Error, Does.Contain("1 of 3 rows was cut at 24 tokens"));
    }

    [Test]
    public void Json_states_rows_and_output()
    {
        var run = CommandLine.Run("predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows, "-o", _predict.Folder["out.tsv"], "--json");

        var json = JsonNode.Parse(run.Output)!;
        Assert.That((json["rows"]!.GetValue<int>(), json["output"]!.GetValue<string>()), Is.EqualTo((60, _predict.Folder["out.tsv"])));
    }

    [Test]
    public void A_model_without_a_recipe_takes_task_and_labels_from_the_adapter()
    {
        var rows = _predict.Texts();

        var table = _predict.Predicted(_predict.Model, "--adapter", _predict.Adapter, "--input", rows, "--max-length", "24");

        var expected = _predict.Predicted(_predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows);
        Assert.That(table[0].Keys, Is.EqualTo(new[] { "text", "label", "score", "negative", "positive" }));
        Assert.That(table.Select(row => row["score"]), Is.EqualTo(expected.Select(row => row["score"])));
    }

    [Test]
    public void The_folded_model_predicts_what_base_and_adapter_predict()
    {
        var export = CommandLine.Run("export", _predict.Model, "--adapter", _predict.Adapter, "-o", _predict.Folder["merged"]);
        Assert.That(export.ExitCode, Is.Zero, export.Error);

        var folded = _predict.Predicted(_predict.Recipe, "--model", _predict.Folder["merged"], "--input", _predict.Rows);

        var adapted = _predict.Predicted(_predict.Recipe, "--adapter", _predict.Adapter, "--input", _predict.Rows);
        Assert.That(folded.Select(row => row["label"]), Is.EqualTo(adapted.Select(row => row["label"])));
        Assert.That(folded.Select(row => Predictions.Number(row["score"])), Is.EqualTo(adapted.Select(row => Predictions.Number(row["score"]))).Within(1e-5));
    }

    [Test]
    public void The_task_in_the_models_metadata_goes_before_the_config_beside_it()
    {
        var folder = _predict.ModelWith("problem_type", "\"multi_label_classification\"");
        var model = OnnxModel.Load(folder);
        model.Metadata["task"] = "classification";
        model.Save(Path.Combine(folder, "model.onnx"));

        Assert.That(_predict.Predicted(folder, "--input", _predict.Texts()), Has.Count.EqualTo(60));
    }

    [Test]
    public void A_model_alone_has_the_classes_of_its_config()
    {
        var model = _predict.ModelWith("id2label", """{"1": "good", "0": "bad"}""");

        var table = _predict.Predicted(model, "--input", _predict.Texts());

        Assert.That(table[0].Keys, Is.EqualTo(new[] { "text", "label", "score", "bad", "good" }));
    }

    [Test]
    public void A_sequence_gets_one_label_per_letter()
    {
        var rows = _predict.Folder.Write("rows.fasta", ">a first\nMKTA\nYIAK\n>b\nMK\n>c\n" + new string('A', 40) + "\n");

        var table = _predict.Predicted(Exports.Path("esm-mini/tokencls.ts-sdpa"), "--tokenizer", Fixtures.Path("models", "esm-mini"),
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
        var rows = _predict.Folder.Write("rows.tsv", string.Join('\n', lines) + "\n");
        var recipe = _predict.Folder.Write("recipe.yaml", $$"""
            model: {{Exports.Path("esm-mini/tokencls.ts-sdpa")}}
            tokenizer: {{Fixtures.Path("models", "esm-mini")}}
            task: token-classification
            data: { train: rows.tsv, validation: rows.tsv, columns: { text: sequence, label: labels, mask: mask }, labels: [C, E, H], maxLength: 512 }
            """);
        var evaluated = CommandLine.Run("evaluate", recipe, "--json");
        Assert.That(evaluated.ExitCode, Is.Zero, evaluated.Error);

        var table = _predict.Predicted(recipe, "--input", rows);

        var letters = table.SelectMany(row => row["labels"].Split(' ')
                .Zip(row["input.labels"], (predicted, expected) => (predicted, expected))
                .Zip(row["mask"], (pair, mask) => (pair.predicted, pair.expected, mask)))
            .Where(letter => letter.mask == '1').ToList();
        var accuracy = (double)letters.Count(letter => letter.predicted == $"{letter.expected}") / letters.Count;
        Assert.That(accuracy, Is.EqualTo(JsonNode.Parse(evaluated.Output)!["metrics"]!["tokenAccuracy"]!.GetValue<double>()).Within(1e-9));
    }
}
