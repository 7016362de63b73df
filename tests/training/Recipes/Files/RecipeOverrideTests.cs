using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tests.Recipes.Files;

/// <summary>Settings of the command line on top of a recipe.</summary>
internal sealed class RecipeOverrideTests
{
    private RecipeOnDisk _recipe = null!;

    [SetUp]
    public void CreateRecipe() => _recipe = new();

    [TearDown]
    public void DeleteRecipe() => _recipe.Dispose();

    [TestCase("adapter.layers=&a [*a, *a]", "the alias *a is inside what it names")]
    [TestCase("adapter.options=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "is nested more than 32 deep")]
    [TestCase("adapter.options=1\n---\n2", "the value holds several documents")]
    [TestCase("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g=1", "is nested too deeply")]
    public void Settings_have_the_same_limits(string setting, string expected) =>
        Assert.That(() => _recipe.Load(RecipeOnDisk.Minimal, setting), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT552").And.Message.Contains(expected));

    [Test]
    public void A_setting_without_a_value_is_null() =>
        Assert.That(() => _recipe.Load(RecipeOnDisk.Minimal, "adapter.layers="), Throws.TypeOf<LortaException>().With.Message.EndsWith("--set: adapter.layers: must have a value."));

    [Test]
    public void Layers_that_are_named_over_and_over_are_refused()
    {
        var layers = string.Join(',', Enumerable.Repeat("0-99999", 1000));

        Assert.That(() => _recipe.Load(RecipeOnDisk.Minimal, $"adapter.layers={layers}"), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT550"));
    }

    [Test]
    public void A_setting_replaces_a_key_and_adds_groups()
    {
        var recipe = _recipe.Load(RecipeOnDisk.Minimal + "\ntrainables: [{ match: a }]", "train.optimizer.lr=1e-2", "seed=7", "trainables.0.lr=0.5", "adapter.options.zero=C_M", "adapter.layers=[1, 3]");

        Assert.Multiple(() =>
        {
            Assert.That(recipe.Train.Optimizer.LearningRate, Is.EqualTo(1e-2));
            Assert.That(recipe.Seed, Is.EqualTo(7));
            Assert.That(recipe.Trainables[0].LearningRate, Is.EqualTo(0.5));
            Assert.That(recipe.Adapter.Options["zero"], Is.EqualTo("C_M"));
            Assert.That(recipe.Adapter.Layers.Indices, Is.EqualTo(new[] { 1, 3 }));
        });
    }

    [TestCase("train: { epochs: 12 }", "train.steps=5")]
    [TestCase("train: { steps: 5 }", "train.epochs=12")]
    [TestCase("train: { schedule: { warmupRatio: 0.5 } }", "train.schedule.warmupSteps=5")]
    public void A_setting_takes_the_place_of_the_key_that_says_the_same_in_another_way(string line, string setting) =>
        Assert.That(() => _recipe.Load($"{RecipeOnDisk.Minimal}\n{line}", setting), Throws.Nothing);

    [Test]
    public void Two_settings_that_say_the_same_are_refused() =>
        Assert.That(
            () => _recipe.Load(RecipeOnDisk.Minimal, "train.epochs=12", "train.steps=5"),
            Throws.TypeOf<LortaException>().With.Message.Contains("--set: train.steps: cannot be combined with train.epochs"));

    [Test]
    public void A_problem_of_a_setting_names_the_setting() =>
        Assert.That(() => _recipe.Load(RecipeOnDisk.Minimal, "train.optimizer.lr=-1"), Throws.TypeOf<LortaException>().With.Message.Contains("--set: train.optimizer.lr: must be > 0, was -1"));

    [TestCase("seed", "has no key")]
    [TestCase("=1", "has no key")]
    [TestCase("seed.x=1", "'seed' is a plain value")]
    [TestCase("trainables.3.lr=1", "'3' is not an index into a list of 0")]
    [TestCase("seed=[", "the value is not YAML")]
    public void What_is_no_setting_is_refused(string setting, string expected) =>
        Assert.That(() => _recipe.Load(RecipeOnDisk.Minimal + "\nseed: 1\ntrainables: []", setting), Throws.TypeOf<LortaException>().With.Message.Contains(expected));

    [TestCase("model=other/m.onnx", "other/m.onnx")]
    [TestCase("tokenizer=other", "other")]
    [TestCase("output=run", "run")]
    [TestCase("data.train=x.tsv", "x.tsv")]
    [TestCase("data={ train: y.tsv }", "y.tsv")]
    public void A_path_of_the_command_line_starts_at_the_current_folder(string setting, string path)
    {
        var recipe = _recipe.Load("model: m.onnx\ntask: classification\ndata: { train: train.tsv }", setting);

        Assert.That(new[] { recipe.Model, recipe.Tokenizer, recipe.Output, recipe.Data.Train }, Has.Some.EqualTo(Path.GetFullPath(path)));
    }

    [TestCase("validation=null")]
    [TestCase("validation=")]
    public void A_path_of_the_command_line_may_be_none(string setting)
    {
        var recipe = _recipe.Load("model: m.onnx\ntask: classification\ndata: { train: train.tsv, validation: v.tsv }", $"data.{setting}");

        Assert.That(recipe.Data.Validation, Is.Null);
    }
}
