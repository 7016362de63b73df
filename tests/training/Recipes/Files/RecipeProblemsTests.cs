using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Recipes.Files;

/// <summary>What is refused in a recipe, and by which sentence.</summary>
internal sealed class RecipeProblemsTests
{
    private RecipeOnDisk _recipe = null!;

    [SetUp]
    public void CreateRecipe() => _recipe = new();

    [TearDown]
    public void DeleteRecipe() => _recipe.Dispose();

    [Test]
    public void All_problems_are_reported_at_once_with_their_lines()
    {
        var error = _recipe.Refused("""
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
            {_recipe.Path}: 3 problems
              line 5: adapter.rank: must be >= 1, was 0
              line 6: adapter.dropout: must be >= 0 and < 1, was 1
              line 8: train.optimizer.lr: must be > 0, was -1
            """));
        Assert.That(error.Origin, Is.EqualTo(new FileLine(_recipe.Path, 5)));
    }

    [Test]
    public void Keys_that_cannot_be_read_do_not_hide_the_problems_of_others()
    {
        var error = _recipe.Refused("""
            model: m.onnx
            task: classification
            data: { train: train.tsv, maxLength: 0 }
            colour: 1
            adapter: { rank: -3, alpha: x }
            trainables: [{ match: "a.*", lr: none }, { match: "b.*", lr: -1 }]
            train:
              steps: 0
              optimizer: { name: adam }
            """);

        Assert.That(error.Message.Split('\n').Skip(1).Select(line => line.Split(':')[1].Trim()), Is.EquivalentTo(
            new[] { "colour", "adapter.alpha", "trainables.0.lr", "data.maxLength", "adapter.rank", "trainables.1.lr", "train.steps", "train.optimizer.name" }));
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
    [TestCase("train: { optimizer: { name: sgd, betas: [0.5, 0.9] } }", "train.optimizer.betas: is for adamw; the optimizer is sgd.")]
    [TestCase("train: { optimizer: { name: sgd, eps: 1e-6 } }", "train.optimizer.eps: is for adamw; the optimizer is sgd.")]
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
        Assert.That(_recipe.Refused($"{RecipeOnDisk.Minimal}\n{line}").Message, Does.Contain(expected).And.StartsWith($"{_recipe.Path}: line 4: "));

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
        Assert.That(_recipe.Refused($"model: m.onnx\ntask: classification\ndata: {data}").Message, Does.Contain($"line 3: {expected}"));

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
            Assert.Throws<LortaException>(() => _recipe.Load($"model: m.onnx\ntask: {task}\ndata: {{ train: x.tsv, {key} }}"))!.Message,
            Does.Contain($"line 3: {path}: is for ").And.EndsWith($"; the task is {task}."));

    [TestCase("causal-lm", "template: { prompt: a, completion: b }")]
    [TestCase("token-classification", "columns: { mask: other }")]
    [TestCase("classification", "columns: { pair: other }, labels: [a, b], template: a")]
    public void A_key_of_the_data_that_the_task_reads_is_taken(string task, string keys) =>
        Assert.That(() => _recipe.Load($"model: m.onnx\ntask: {task}\ndata: {{ train: x.tsv, {keys} }}"), Throws.Nothing);

    [TestCase("dpo", "task: 'dpo' is not supported yet; supported: causal-lm, masked-lm, ")]
    [TestCase("translate", "task: must be one of causal-lm, ")]
    [TestCase("causal_lm", "token-classification, loss, was 'causal_lm'. Did you mean 'causal-lm'?")]
    public void A_task_of_later_is_told_from_a_typing_error(string task, string expected) =>
        Assert.That(_recipe.Refused($"model: m\ntask: {task}\ndata: {{ train: x.tsv }}").Message, Does.Contain(expected));

    [Test]
    public void An_empty_path_is_not_the_folder_of_the_recipe()
    {
        var error = _recipe.Refused("""
            model: ""
            tokenizer: ""
            task: causal-lm
            data: { train: "", validation: "" }
            adapter: { from: "" }
            output: "a\0b"
            """);

        Assert.That(error.Message, Is.EqualTo($"""
            {_recipe.Path}: 6 problems
              line 1: model: must not be empty
              line 2: tokenizer: must not be empty
              line 6: output: must not contain a null character
              line 5: adapter.from: must not be empty
              line 4: data.train: must not be empty
              line 4: data.validation: must not be empty
            """));
    }

    [Test]
    public void A_setting_that_is_no_path_is_refused() =>
        Assert.That(
            () => _recipe.Load(RecipeOnDisk.Minimal, "model=\"a\\0b\""),
            Throws.TypeOf<LortaException>().With.Message.Contains("model: must not contain a null character"));

    [Test]
    public void A_bad_recipe_is_wrong_usage() => Assert.That(_recipe.Refused("{}").IsUsage, Is.True);

    [Test]
    public void Every_recipe_made_in_code_is_checked_by_the_same_rules() =>
        Assert.That(
            RecipeRules.Check(new Recipe { Model = "m", Task = "dpo", Data = new() { Train = "x.tsv" } }, LortaCatalog.Default),
            Has.One.Matches<RecipeProblem>(problem => problem is { Path: "task", Text: { } text } && text.Contains("not supported yet")));
}
