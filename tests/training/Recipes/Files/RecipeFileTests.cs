using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Recipes.Files;

internal sealed class RecipeFileTests
{
    private const string Minimal = """
        model: m.onnx
        task: classification
        data: { train: train.tsv }
        """;

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

    private string _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("recipe").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void The_recipe_of_the_contract_is_read_whole()
    {
        var recipe = Load(OfTheContract);

        Assert.Multiple(() =>
        {
            Assert.That(recipe.Model, Is.EqualTo(Path.GetFullPath(Path.Join(_folder, "../minilm"))));
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
        var recipe = Load(Minimal);

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
        var recipe = Load(Minimal);

        Assert.Multiple(() =>
        {
            Assert.That(recipe.Tokenizer, Is.EqualTo(_folder));
            Assert.That(recipe.Output, Is.EqualTo(Path.Join(_folder, "runs", "recipe")));
            Assert.That(recipe.Data.Train, Is.EqualTo(Path.Join(_folder, "train.tsv")));
        });
    }

    [Test]
    public void Each_data_file_has_the_format_of_its_extension()
    {
        File.WriteAllText(Path.Join(_folder, "train.tsv"), "text\tlabel\na, b\t1\n");
        File.WriteAllText(Path.Join(_folder, "more.csv"), "text,label\n\"c\td\",0\n");

        var data = Load("model: m.onnx\ntask: classification\ndata: { train: train.tsv, validation: more.csv }").Data;

        Assert.That(new[] { data.Train, data.Validation! }.Select(file => RowReader.Read(file, data.Format)[0]["text"]), Is.EqualTo(new[] { "a, b", "c\td" }));
    }

    [Test]
    public void All_problems_are_reported_at_once_with_their_lines()
    {
        var error = Refused("""
            model: m.onnx
            task: classification
            data: { train: train.tsv }
            adapter:
              rank: 0
              dropout: 1
            train:
              optimizer: { lr: -1 }
            """);

        Assert.That(error.Message, Is.EqualTo($"""
            {RecipePath}: 3 problems
              line 5: adapter.rank: must be >= 1, was 0
              line 6: adapter.dropout: must be >= 0 and < 1, was 1
              line 8: train.optimizer.lr: must be > 0, was -1
            """));
    }

    [TestCase("colour: 1", "line 4: colour: unknown key; known are model, ")]
    [TestCase("sead: 1", "line 4: sead: unknown key; did you mean seed?")]
    [TestCase("labels: [a, b]", "labels: unknown key; did you mean data.labels?")]
    [TestCase("learning_rate: 1e-3", "learning_rate: unknown key; did you mean train.optimizer.lr?")]
    [TestCase("adapter: { lora_alpha: 16 }", "adapter.lora_alpha: unknown key; did you mean adapter.alpha?")]
    [TestCase("train: { batch_size: 8 }", "train.batch_size: unknown key; did you mean train.batchSize?")]
    [TestCase("Seed: 1", "Seed: unknown key; did you mean seed?")]
    [TestCase("optimizer: adamw", "optimizer: unknown key; did you mean train.optimizer.name or train.optimizer.lr?")]
    [TestCase("optimizer: { lr: 1 }", "optimizer: unknown key; did you mean train.optimizer?")]
    [TestCase("name: adamw", "name: unknown key; did you mean train.optimizer.name or train.schedule.name?")]
    [TestCase("seed: many", "seed: must be a whole number, was 'many'.")]
    [TestCase("seed:", "seed: must have a value.")]
    [TestCase("device: tpu", "device: must have the form cpu|cuda(:[0-9]+)?, was 'tpu'.")]
    [TestCase("adapter: { method: lorax }", "adapter.method: 'lorax' is not supported yet; supported: lorta, lora, lora_fa, ")]
    [TestCase("adapter: { method: qlora }", "full. Did you mean 'lora'?")]
    [TestCase("adapter: { targets: [q, z] }", "adapter.targets.1: must be one of q, k, v, p, gate, up, down, attention, mlp, all-linear, was 'z'.")]
    [TestCase("adapter: { targets: q }", "adapter.targets: must be a list, was 'q'.")]
    [TestCase("adapter: { targets: [q, q] }", "adapter.targets: names a matrix twice.")]
    [TestCase("adapter: { layers: some }", "adapter.layers: must be all or a list of layer indices such as [0, 2, 3], was 'some'.")]
    [TestCase("adapter: lorta", "adapter: must hold keys (method, ")]
    [TestCase("trainables: [{ lr: 1 }]", "trainables.0.match: is missing.")]
    [TestCase("head: { new: classification, labels: [one] }", "head: a new head is not supported yet; export the model with the head of its task (such as AutoModelForSequenceClassification).")]
    [TestCase("train: { epochs: 1, steps: 3 }", "train.steps: cannot be combined with train.epochs; give one of them.")]
    [TestCase("train: { optimizer: { betas: [0.9] } }", "train.optimizer.betas: must have 2 elements, has 1.")]
    [TestCase("train: { optimizer: { betas: [0.9, 1] } }", "train.optimizer.betas.1: must be >= 0 and < 1, was 1.")]
    [TestCase("train: { optimizer: { lr: .inf } }", "train.optimizer.lr: must be a number, was '.inf'.")]
    [TestCase("train: { schedule: { name: step } }", "train.schedule.name: must be one of constant, linear, cosine, was 'step'.")]
    [TestCase("train: { steps: 5, schedule: { warmupSteps: 6 } }", "train.schedule.warmupSteps: must be <= train.steps (5), was 6.")]
    [TestCase("train: { evaluateEvery: 0 }", "train.evaluateEvery: must be epoch, never or a number of steps, was '0'.")]
    [TestCase("train: { keepBest: loss }", "train.keepBest: needs evaluations")]
    [TestCase("taskOptions: { probability: 0.2 }", "taskOptions.probability: is for masked-lm; the task is classification.")]
    public void A_problem_names_its_key(string line, string expected) =>
        Assert.That(Refused($"{Minimal}\n{line}").Message, Does.Contain(expected).And.StartsWith($"{RecipePath}: line 4: "));

    [TestCase("{ train: x.parquet }", "data.train: parquet is not supported yet")]
    [TestCase("{ train: x, format: parquet }", "data.format: 'parquet' is not supported yet; supported: text, tsv, csv, jsonl, json, fasta.")]
    [TestCase("{ train: x.tsv, validation: x.parquet }", "data.validation: parquet is not supported yet")]
    [TestCase("{ train: x.tsv, validation: x.bin }", "data.format: cannot be determined from 'x.bin'; name it.")]
    [TestCase("{ train: x.tsv, labels: [a, b, a] }", "data.labels: names 'a' twice.")]
    [TestCase("{ train: x.bin }", "data.format: cannot be determined from 'x.bin'; name it.")]
    [TestCase("{ train: x.tsv, packing: true }", "data.packing: is for causal-lm; the task is classification.")]
    [TestCase("{ train: x.tsv, validation: y.tsv, validationFraction: 0.1 }", "data.validationFraction: cannot be combined with data.validation; give one of them.")]
    [TestCase("{ train: x.tsv, template: { prompt: a } }", "data.template: must be a text with {column} holes, or { prompt: …, completion: … }, was a group of keys.")]
    public void A_problem_of_the_data_names_its_key(string data, string expected) =>
        Assert.That(Refused($"model: m.onnx\ntask: classification\ndata: {data}").Message, Does.Contain($"line 3: {expected}"));

    // Keys that a task does not read, one by one.
    [TestCase("classification", "template: { prompt: a, completion: b }", "data.template.prompt")]
    [TestCase("masked-lm", "template: { prompt: a, completion: b }", "data.template.prompt")]
    [TestCase("token-classification", "template: a", "data.template")]
    [TestCase("token-classification", "columns: { pair: other }", "data.columns.pair")]
    [TestCase("causal-lm", "columns: { pair: other }", "data.columns.pair")]
    [TestCase("causal-lm", "labels: [a, b]", "data.labels")]
    [TestCase("masked-lm", "labels: [a, b]", "data.labels")]
    [TestCase("classification", "columns: { mask: other }", "data.columns.mask")]
    [TestCase("classification", "bos: false", "data.bos")]
    [TestCase("masked-lm", "eos: false", "data.eos")]
    [TestCase("loss", "labels: [a, b]", "data.labels")]
    public void A_key_of_the_data_that_the_task_does_not_read_is_refused(string task, string key, string path) =>
        Assert.That(
            Assert.Throws<LortaException>(() => Load($"model: m.onnx\ntask: {task}\ndata: {{ train: x.tsv, {key} }}"))!.Message,
            Does.Contain($"line 3: {path}: is for ").And.EndsWith($"; the task is {task}."));

    [TestCase("causal-lm", "template: { prompt: a, completion: b }")]
    [TestCase("token-classification", "columns: { mask: other }")]
    [TestCase("classification", "columns: { pair: other }, labels: [a, b], template: a")]
    public void A_key_of_the_data_that_the_task_reads_is_taken(string task, string keys) =>
        Assert.That(() => Load($"model: m.onnx\ntask: {task}\ndata: {{ train: x.tsv, {keys} }}"), Throws.Nothing);

    [TestCase("dpo", "task: 'dpo' is not supported yet; supported: causal-lm, masked-lm, ")]
    [TestCase("translate", "task: must be one of causal-lm, ")]
    [TestCase("causal_lm", "token-classification, loss, was 'causal_lm'. Did you mean 'causal-lm'?")]
    public void A_task_of_later_is_told_from_a_typing_error(string task, string expected) =>
        Assert.That(Refused($"model: m\ntask: {task}\ndata: {{ train: x.tsv }}").Message, Does.Contain(expected));

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

    [TestCase(""), TestCase("model.onnx")]
    public void A_model_in_place_of_a_recipe_is_told_how_to_get_one(string name)
    {
        var path = System.IO.Path.Combine(Fixtures.Repository, "models", "llama-mini", name);

        var failure = Assert.Throws<LortaException>(() => RecipeFile.Load(path, LortaCatalog.Default))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT553", $"{path}: is a {(name.Length == 0 ? "folder" : "model")}, not a recipe.")));
        Assert.That(failure.Hint, Does.StartWith($"`lorta init {ShellPath.Quoted(path)} "));
    }

    [Test]
    public void A_run_in_place_of_a_recipe_leads_to_the_recipe_of_the_run()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var own = System.IO.Path.Combine(folder, "recipe.yaml");
        File.WriteAllText(own, Minimal);
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "checkpoints"));

        var failure = Assert.Throws<LortaException>(() => RecipeFile.Load(folder, LortaCatalog.Default))!;

        Directory.Delete(folder, recursive: true);
        Assert.That((failure.Code, failure.Hint), Is.EqualTo(("LRT553", $"The recipe of this run is {own}; `lorta train {ShellPath.Quoted(own)} --resume` continues it.")));
    }

    [Test]
    public void A_bad_recipe_is_wrong_usage() => Assert.That(Refused("{}").IsUsage, Is.True);

    [TestCase("a: [", "LRT551")]
    [TestCase("", "LRT551")]
    [TestCase("seed: 1\nseed: 2", "LRT551")]
    [TestCase("- model", "LRT551")]
    [TestCase("adapter: { options: &a { x: *a } }", "LRT551")]
    public void What_is_no_recipe_is_refused_in_a_sentence(string yaml, string code) => Assert.That(Refused(yaml).Code, Does.StartWith(code));

    [TestCase("adapter:\n  layers: &a [*a, *a, *a]", "line 2: the alias *a is inside what it names.")]
    [TestCase("a: *b\nb: &b 1", "line 1: the alias *b names nothing before it.")]
    [TestCase("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]",
        "line 4: holds more than 10000 values, those that aliases repeat included.")]
    [TestCase("a: { b: 4 *\noutput: run", "line 2: is no YAML.")]
    public void What_would_fill_the_memory_or_stops_the_scanner_is_refused_with_its_line(string yaml, string expected)
    {
        var failure = Refused(yaml);

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT551", $"{RecipePath}: {expected}")));
    }

    [TestCase("{a: ", "}")]
    [TestCase("[", "")]
    public void Deep_nesting_is_refused(string open, string close)
    {
        var yaml = $"model: {string.Concat(Enumerable.Repeat(open, 20_000))}{string.Concat(Enumerable.Repeat(close, 20_000))}";

        Assert.That(Refused(yaml).Message, Is.EqualTo($"{RecipePath}: line 1: is nested more than 32 deep."));
    }

    [TestCase("adapter.layers=&a [*a, *a]", "the alias *a is inside what it names")]
    [TestCase("adapter.options=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "is nested more than 32 deep")]
    [TestCase("adapter.options=1\n---\n2", "the value holds several documents")]
    [TestCase("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g=1", "is nested too deeply")]
    public void Settings_have_the_same_limits(string setting, string expected) =>
        Assert.That(() => Load(Minimal, setting), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT552").And.Message.Contains(expected));

    [Test]
    public void A_setting_without_a_value_is_null() =>
        Assert.That(() => Load(Minimal, "adapter.layers="), Throws.TypeOf<LortaException>().With.Message.EndsWith("--set: adapter.layers: must have a value."));

    [Test]
    public void Layers_that_are_named_over_and_over_are_refused()
    {
        var layers = string.Join(',', Enumerable.Repeat("0-99999", 1000));

        Assert.That(() => Load(Minimal, $"adapter.layers={layers}"), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT550"));
    }

    [Test]
    public void A_missing_file_is_named() =>
        Assert.That(() => RecipeFile.Load(RecipePath, LortaCatalog.Default), Throws.TypeOf<LortaException>().With.Message.Contains(RecipePath));

    [Test]
    public void A_setting_replaces_a_key_and_adds_groups()
    {
        var recipe = Load(Minimal + "\ntrainables: [{ match: a }]", "train.optimizer.lr=1e-2", "seed=7", "trainables.0.lr=0.5", "adapter.options.zero=C_M", "adapter.layers=[1, 3]");

        Assert.Multiple(() =>
        {
            Assert.That(recipe.Train.Optimizer.LearningRate, Is.EqualTo(1e-2));
            Assert.That(recipe.Seed, Is.EqualTo(7));
            Assert.That(recipe.Trainables[0].LearningRate, Is.EqualTo(0.5));
            Assert.That(recipe.Adapter.Options["zero"], Is.EqualTo("C_M"));
            Assert.That(recipe.Adapter.Layers.Indices, Is.EqualTo(new[] { 1, 3 }));
        });
    }

    [Test]
    public void A_problem_of_a_setting_names_the_setting() =>
        Assert.That(() => Load(Minimal, "train.optimizer.lr=-1"), Throws.TypeOf<LortaException>().With.Message.Contains("--set: train.optimizer.lr: must be > 0, was -1"));

    [TestCase("seed", "has no key")]
    [TestCase("=1", "has no key")]
    [TestCase("seed.x=1", "'seed' is a plain value")]
    [TestCase("trainables.3.lr=1", "'3' is not an index into a list of 0")]
    [TestCase("seed=[", "the value is not YAML")]
    public void What_is_no_setting_is_refused(string setting, string expected) =>
        Assert.That(() => Load(Minimal + "\nseed: 1\ntrainables: []", setting), Throws.TypeOf<LortaException>().With.Message.Contains(expected));

    [TestCase("data.labels=['null', 'true', no]", "adapter.options={a: '1', b: 1, c: [x, 2]}")]
    [TestCase("task=causal-lm", "data.template={prompt: 'a: {b}', completion: \"c\\nd\"}")]
    public void A_written_recipe_reads_back_the_same(params string[] settings)
    {
        var recipe = Load(Minimal, settings);

        RecipeFile.Save(Path.Join(_folder, "again.yaml"), recipe);
        var again = RecipeFile.Load(Path.Join(_folder, "again.yaml"), LortaCatalog.Default);

        Assert.That(RecipeFile.ToYaml(again), Is.EqualTo(RecipeFile.ToYaml(recipe)));
        Assert.That(RecipeIdentity.Of(again), Is.EqualTo(RecipeIdentity.Of(recipe)));
    }

    [Test]
    public void Every_recipe_made_in_code_is_checked_by_the_same_rules() =>
        Assert.That(
            RecipeRules.Check(new Recipe { Model = "m", Task = "dpo", Data = new() { Train = "x.tsv" } }, LortaCatalog.Default),
            Has.One.Matches<RecipeProblem>(problem => problem is { Path: "task", Text: { } text } && text.Contains("not supported yet")));

    private string RecipePath => Path.Join(_folder, "recipe.yaml");

    [TestCase("model=other/m.onnx", "other/m.onnx")]
    [TestCase("tokenizer=other", "other")]
    [TestCase("output=run", "run")]
    [TestCase("data.train=x.tsv", "x.tsv")]
    [TestCase("data={ train: y.tsv }", "y.tsv")]
    public void A_path_of_the_command_line_starts_at_the_current_folder(string setting, string path)
    {
        var recipe = Load("model: m.onnx\ntask: classification\ndata: { train: train.tsv }", setting);

        Assert.That(new[] { recipe.Model, recipe.Tokenizer, recipe.Output, recipe.Data.Train }, Has.Some.EqualTo(Path.GetFullPath(path)));
    }

    [TestCase("validation=null")]
    [TestCase("validation=")]
    public void A_path_of_the_command_line_may_be_none(string setting)
    {
        var recipe = Load("model: m.onnx\ntask: classification\ndata: { train: train.tsv, validation: v.tsv }", $"data.{setting}");

        Assert.That(recipe.Data.Validation, Is.Null);
    }

    [Test]
    public void A_head_of_null_as_older_run_folders_have_it_is_none() =>
        Assert.That(() => Load("model: m.onnx\ntask: classification\nhead: null\ndata: { train: train.tsv }"), Throws.Nothing);

    private Recipe Load(string yaml, params string[] settings)
    {
        File.WriteAllText(RecipePath, yaml);
        return RecipeFile.Load(RecipePath, LortaCatalog.Default, settings);
    }

    private LortaException Refused(string yaml) => Assert.Throws<LortaException>(() => Load(yaml))!;
}
