using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Recipes.Files;

/// <summary>Recipes that are read and written: keys, defaults, paths.</summary>
internal sealed class RecipeFileTests
{
    private const string OfTheContract = """
        model: ../minilm                      # file or folder
        tokenizer: ../minilm
        task: classification
        taskOptions: {}
        seed: 0
        device: cpu
        output: runs/sst2
        adapter:
          method: lorta
          rank: 8
          alpha: 16
          targets: [q, k, v, p]
          layers: all
          dropout: 0
          options: { zero: B }
        trainables:
          - { match: "classifier.*", lr: 3e-3, weightDecay: 0 }
        data:
          format: tsv
          train: sst2/train.tsv
          validation: sst2/validation.tsv
          columns: { text: sentence, pair: null, label: label }
          labels: [negative, positive]
          template: null
          maxLength: 128
          separator: "\n\n"
          bos: true
          eos: true
          packing: false
          bucketing: true
        train:
          epochs: 2
          batchSize: 16
          gradientAccumulation: 1
          optimizer: { name: adamw, lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }
          schedule: { name: linear, warmupRatio: 0.06 }
          clip: 1.0
          evaluateEvery: epoch
          saveEvery: epoch
          keepBest: accuracy
          earlyStop: null
        """;

    private RecipeOnDisk _recipe = null!;

    [SetUp]
    public void CreateRecipe() => _recipe = new();

    [TearDown]
    public void DeleteRecipe() => _recipe.Dispose();

    [Test]
    public void The_recipe_of_the_contract_is_read_whole()
    {
        var recipe = _recipe.Load(OfTheContract);

        Assert.Multiple(() =>
        {
            Assert.That(recipe.Model, Is.EqualTo(Path.GetFullPath(Path.Join(_recipe.Folder, "../minilm"))));
            Assert.That(recipe.Adapter.Options["zero"], Is.EqualTo("B"));
            Assert.That(recipe.Trainables[0], Is.EqualTo(new TrainablePattern { Match = "classifier.*", LearningRate = 3e-3, WeightDecay = 0 }));
            Assert.That(recipe.Classes(), Is.EqualTo(new[] { "negative", "positive" }));
            Assert.That(recipe.Data.Columns.Text, Is.EqualTo("sentence"));
            Assert.That(recipe.Data.Separator, Is.EqualTo("\n\n"));
            Assert.That(recipe.Train.Optimizer.Epsilon, Is.EqualTo(1e-8));
            Assert.That(recipe.Train.KeepBest, Is.EqualTo("accuracy"));
        });
    }

    [Test]
    public void Omitted_keys_take_the_defaults_of_the_contract()
    {
        var recipe = _recipe.Load(RecipeOnDisk.Minimal);

        Assert.Multiple(() =>
        {
            Assert.That((recipe.Adapter.Method, recipe.Adapter.Rank, recipe.Adapter.Alpha), Is.EqualTo(("lorta", 8, 16.0)));
            Assert.That(recipe.Adapter.Targets, Is.EqualTo(new[] { "q", "k", "v", "p" }));
            Assert.That((recipe.Train.Epochs, recipe.Train.BatchSize, recipe.Train.Clip), Is.EqualTo((2, 16, (double?)1)));
            Assert.That(recipe.Train.Optimizer.Betas, Is.EqualTo(new[] { 0.9, 0.999 }));
            Assert.That(recipe.Train.EvaluateEvery, Is.EqualTo(Interval.Epoch));
        });
    }

    [Test]
    public void What_can_be_derived_is_filled_in_beside_the_recipe()
    {
        var recipe = _recipe.Load(RecipeOnDisk.Minimal);

        Assert.Multiple(() =>
        {
            Assert.That(recipe.Tokenizer, Is.EqualTo(_recipe.Folder));
            Assert.That(recipe.Output, Is.EqualTo(Path.Join(_recipe.Folder, "runs", "recipe")));
            Assert.That(recipe.Data.Train, Is.EqualTo(Path.Join(_recipe.Folder, "train.tsv")));
        });
    }

    [Test]
    public void Each_data_file_has_the_format_of_its_extension()
    {
        File.WriteAllText(Path.Join(_recipe.Folder, "train.tsv"), "text\tlabel\na, b\t1\n");
        File.WriteAllText(Path.Join(_recipe.Folder, "more.csv"), "text,label\n\"c\td\",0\n");

        var data = _recipe.Load("model: m.onnx\ntask: classification\ndata: { train: train.tsv, validation: more.csv }").Data;

        Assert.That(new[] { data.Train, data.Validation! }.Select(file => RowReader.Read(file, data.Format)[0]["text"]), Is.EqualTo(new[] { "a, b", "c\td" }));
    }

    [Test]
    public void Every_section_names_usual_keys_of_its_own()
    {
        var sections = RecipeKeys.All.Where(key => RecipeKeys.All.Any(inner => inner.StartsWith(key + ".", StringComparison.Ordinal)));

        Assert.That(RecipeKeys.UsualKeys.Keys, Is.EquivalentTo(sections));
        Assert.That(RecipeKeys.UsualKeys.Values.SelectMany(keys => keys), Is.SubsetOf(RecipeKeys.All));
    }

    [Test]
    public void Every_key_that_a_name_of_other_tools_leads_to_exists() =>
        Assert.That(RecipeKeys.OtherNames.Values.Distinct().Except(RecipeKeys.All.Append("adapter.options.rslora")), Is.Empty);

    [TestCase("data.labels=['null', 'true', no]", "adapter.options={a: '1', b: 1, c: [x, 2]}")]
    [TestCase("task=causal-lm", "data.template={prompt: 'a: {b}', completion: \"c\\nd\"}")]
    public void A_written_recipe_reads_back_the_same(params string[] settings)
    {
        var recipe = _recipe.Load(RecipeOnDisk.Minimal, settings);

        RecipeFile.Save(Path.Join(_recipe.Folder, "again.yaml"), recipe);
        var again = RecipeFile.Load(Path.Join(_recipe.Folder, "again.yaml"), LortaCatalog.Default);

        Assert.That(RecipeFile.ToYaml(again), Is.EqualTo(RecipeFile.ToYaml(recipe)));
        Assert.That(RecipeIdentity.Of(again), Is.EqualTo(RecipeIdentity.Of(recipe)));
    }

    [Test]
    public void A_head_of_null_as_older_run_folders_have_it_is_none() =>
        Assert.That(() => _recipe.Load("model: m.onnx\ntask: classification\nhead: null\ndata: { train: train.tsv }"), Throws.Nothing);
}
