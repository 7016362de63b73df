using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Artifacts.Portable;

namespace LoRTA.Onnx.Training.Tests;

/// <summary>Artifacts of a recipe for programs that train elsewhere.</summary>
internal sealed class RecipeGraphsTests
{
    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [TestCase("train.steps=4")]
    [TestCase("train.epochs=1")]
    public void Learning_rates_are_those_of_the_run(string length)
    {
        var request = _run.Request("run", length);
        using var progress = Progress.None;
        TinyRun.Train(request, progress);

        var (_, schedule) = RecipeGraphs.Of(request.Recipe, OnnxModel.Load(request.Recipe.Model));

        Assert.That(schedule.LearningRates, Is.EqualTo(progress.Steps.Select(step => step.LearningRate)));
        Assert.That(schedule.GradientAccumulation, Is.EqualTo(2));
    }

    [Test]
    public void Portable_artifacts_hold_the_schedule_as_a_file()
    {
        var recipe = _run.Request("run").Recipe;
        var (graphs, schedule) = RecipeGraphs.Of(recipe, OnnxModel.Load(recipe.Model));

        var files = PortableArtifacts.Write(graphs, _run["artifacts"], embedWeights: false, schedule).Files;

        Assert.That(files, Has.Some.EqualTo("schedule.json"));
        var written = JsonNode.Parse(File.ReadAllText(_run["artifacts", "schedule.json"]))!;
        Assert.That(written["learningRates"]!.AsArray().Select(rate => rate!.GetValue<double>()), Is.EqualTo(schedule.LearningRates));
        Assert.That(written["gradientAccumulation"]!.GetValue<int>(), Is.EqualTo(2));
        PortableArtifacts.Write(graphs, _run["artifacts"], embedWeights: true);   // replaces what such a command wrote
        Assert.That(File.Exists(_run["artifacts", "schedule.json"]), Is.False);
    }

    [Test]
    public void Recipe_that_continues_from_an_adapter_begins_with_its_values()
    {
        _run.Train("run", "train.steps=2");
        var recipe = _run.Request("next", $"adapter.from={_run["run", "adapter"]}").Recipe;

        var (graphs, _) = RecipeGraphs.Of(recipe, OnnxModel.Load(recipe.Model));

        var adapter = Adapter.Load(_run["run", "adapter"]);
        foreach (var trained in graphs.Trained) Assert.That(trained.Initial.Bytes.SequenceEqual(adapter.Tensors[trained.Name].Bytes), trained.Name);
    }

    [Test]
    public void Dropout_is_refused_for_onnx_runtime_training_before_anything_is_written()
    {
        var recipe = _run.Request("run").Recipe;
        var (graphs, schedule) = RecipeGraphs.Of(recipe, OnnxModel.Load(recipe.Model));

        Assert.That(
            () => OrtTrainingArtifacts.Write(graphs, _run["artifacts"], embedWeights: false, schedule),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT571"));
        Assert.That(Directory.Exists(_run["artifacts"]), Is.False);
    }

    [Test]
    public void More_steps_than_a_table_holds_are_refused()
    {
        var recipe = _run.Request("run", "train.steps=20000000").Recipe;

        Assert.That(
            () => RecipeGraphs.Of(recipe, OnnxModel.Load(recipe.Model)),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT583"));
    }
}
