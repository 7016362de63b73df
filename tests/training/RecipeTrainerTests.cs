using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.Training.Tests.SampleTrainer;

namespace LoRTA.Onnx.Training.Tests;

internal sealed class RecipeTrainerTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Data_of_a_recipe_go_on_in_the_epoch_where_a_run_was_stopped()
    {
        using var run = new TinyRun();
        run.Train("run", "train.epochs=3");
        var recipe = run.Request("run", "train.epochs=3").Recipe;
        var model = OnnxModel.Load(recipe.Model);
        var options = recipe.Train.ToFit(() => RecipeData.Of(recipe, model).Validation!);
        using var stop = Progress.StopAfter(4);
        using var trainer = new AdapterTrainer(Engine, model, recipe.ToTrainingOptions());

        var stopped = trainer.Fit(RecipeData.Of(recipe, model).Train, options, stop, stop.Stop);
        trainer.Fit(RecipeData.Of(recipe, model).Train, options);
        trainer.ToAdapter().Save(_folder["adapter"]);

        Assert.That(stopped.Ending, Is.EqualTo(TrainingEnding.Stopped));
        Assert.That(File.ReadAllBytes(_folder["adapter", "adapter_model.safetensors"]), Is.EqualTo(run.Adapter("run")));
    }

    [TestCase("train.steps=6")]
    [TestCase("train.epochs=3")]
    public void Same_batches_and_seed_give_the_bytes_of_lorta_train(string length)
    {
        using var run = new TinyRun();
        run.Train("run", length);
        var recipe = run.Request("run", length).Recipe;
        var model = OnnxModel.Load(recipe.Model);
        var data = RecipeData.Of(recipe, model);
        using var trainer = new AdapterTrainer(Engine, model, recipe.ToTrainingOptions());

        trainer.Fit(data.Train, recipe.Train.ToFit(() => data.Validation!));
        trainer.ToAdapter().Save(_folder["adapter"]);

        Assert.That(File.ReadAllBytes(_folder["adapter", "adapter_model.safetensors"]), Is.EqualTo(run.Adapter("run")));
    }
}
