using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>What <c>--adapter</c> takes, what is written beside an adapter and an exported model, and what <c>inject</c> states.</summary>
internal sealed class AdapterSourcesTests
{
    private TrainedEncoder _trained = null!;
    private TestFolder _folder = null!;

    private string Model => _trained.Model;

    private string Recipe => _trained.Recipe;

    private string Adapter => _trained.Adapter;

    [OneTimeSetUp]
    public void Train() => _trained = new(
        """
        task: classification
        adapter: { method: lora, rank: 2, alpha: 4, targets: [q, v] }
        data: { train: train.tsv, validation: validation.tsv, columns: { text: sentence }, labels: [negative, positive], maxLength: 24 }
        train: { steps: 6, batchSize: 4, optimizer: { lr: 1e-2 }, saveEvery: 2, evaluateEvery: 6 }
        """,
        trained: 32,
        held: 8);

    [OneTimeTearDown]
    public void DeleteTrained() => _trained.Dispose();

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [TestCase("run")]
    [TestCase("run/checkpoints")]
    [TestCase("run/checkpoints/step-00000006.safetensors")]
    [TestCase("run/adapter/adapter_config.json")]
    public void Run_folder_and_checkpoint_of_the_last_step_are_its_adapter(string source) =>
        Assert.That(Loss(_trained[source.Split('/')]), Is.EqualTo(Loss(Adapter)));

    [Test]
    public void A_path_that_does_not_exist_is_named_as_it_was_given() =>
        Assert.That(
            CommandLine.Run("evaluate", Recipe, "--adapter", _folder["nowhere"]).Error,
            Does.StartWith($"error LRT101: {_folder["nowhere"]}: no such file or folder."));

    [Test]
    public void An_earlier_checkpoint_is_another_adapter()
    {
        var earlier = Loss(_trained["run", "checkpoints", "step-00000004.safetensors"]);

        Assert.That(earlier, Is.Not.EqualTo(Loss(Adapter)).And.Not.EqualTo(Loss(null)));
    }

    [Test]
    public void A_run_that_never_wrote_its_adapter_gives_that_of_its_newest_checkpoint()
    {
        Directory.CreateDirectory(_folder["run", "checkpoints"]);
        File.Copy(_trained["run", "recipe.yaml"], _folder["run", "recipe.yaml"]);
        const string last = "step-00000006.safetensors";
        File.Copy(_trained["run", "checkpoints", last], _folder["run", "checkpoints", last]);

        Assert.That(Loss(_folder["run"]), Is.EqualTo(Loss(Adapter)));
    }

    [TestCase("export {m} --adapter {run} -o {f}/out.onnx")]
    [TestCase("verify {m} {m} --adapter {run} --tolerance 100")]
    [TestCase("inject {m} --adapter {run} -o {f}/out.onnx")]
    [TestCase("predict {r} --adapter {run} --input {rows} -o {f}/out.tsv")]
    [TestCase("evaluate {r} --adapter {run}")]
    public void Every_verb_takes_a_run_folder(string command)
    {
        var run = Run(command);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }

    [Test]
    public void A_folder_without_an_adapter_is_refused_in_one_sentence()
    {
        var run = CommandLine.Run("evaluate", Recipe, "--adapter", _folder.Path);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((1,
            $"error LRT325: {_folder.Path}: holds no adapter.\nhint: Name an adapter folder, a run folder, its folder of checkpoints or one of these.\n")));
    }

    [Test]
    public void An_exported_folder_names_the_classes_in_its_config_and_in_the_model()
    {
        Assert.That(Run("export {m} --adapter {run} -o {f}/merged").ExitCode, Is.Zero);

        var (before, after) = (Config(Model), Config(_folder["merged"]));
        Assert.That(after["id2label"]!.ToJsonString(), Is.EqualTo("""{"0":"negative","1":"positive"}"""));
        Assert.That(after["label2id"]!.ToJsonString(), Is.EqualTo("""{"negative":0,"positive":1}"""));
        foreach (var key in new[] { "id2label", "label2id" })
        {
            before.Remove(key);
            after.Remove(key);
        }
        Assert.That(after.ToJsonString(), Is.EqualTo(before.ToJsonString()), "the other keys, in their order");
        var metadata = OnnxModel.Load(_folder["merged"]).Metadata;
        Assert.That(metadata["id2label"], Is.EqualTo("""{"0":"negative","1":"positive"}"""));
        Assert.That((metadata["label2id"], metadata["task"]), Is.EqualTo(("""{"negative":0,"positive":1}""", "classification")));
    }

    [Test]
    public void A_base_of_several_labels_is_one_of_one_label_after_training()
    {
        foreach (var file in Directory.GetFiles(Model)) File.Copy(file, _folder[Path.GetFileName(file)]);
        var config = Config(_folder.Path);
        config["problem_type"] = "multi_label_classification";
        _folder.Write("config.json", config.ToJsonString());

        var run = CommandLine.Run("export", _folder.Path, "--adapter", Adapter, "-o", _folder["merged"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Config(_folder["merged"])["problem_type"]!.GetValue<string>(), Is.EqualTo("single_label_classification"));
    }

    [Test]
    public void An_exported_folder_is_predicted_with_by_itself()
    {
        Assert.That(Run("export {m} --adapter {run} -o {f}/merged").ExitCode, Is.Zero);
        _folder.Write("texts.tsv", "text\nA fine thing.\n");

        var run = Run("predict {f}/merged --input {f}/texts.tsv -o {f}/out.tsv");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(File.ReadLines(_folder["out.tsv"]).First(), Is.EqualTo("text\tlabel\tscore\tnegative\tpositive"));
    }

    [Test]
    public void Adapter_and_exported_folder_say_what_they_are()
    {
        Assert.That(Run("export {m} --adapter {run} -o {f}/merged").ExitCode, Is.Zero);

        var (adapter, merged) = (File.ReadAllText(Path.Combine(Adapter, "README.md")), File.ReadAllText(_folder["merged", "README.md"]));
        foreach (var fact in new[] { "| base model | `model.onnx` |", "| method | lora |", "| rank | 2 |", "| task | classification |", "| labels | negative, positive |" })
            Assert.That(new[] { adapter, merged }, Has.All.Contains(fact));
        Assert.That(adapter, Does.Contain("| validation accuracy |").And.Contain("lorta export MODEL --adapter DIR"));
    }

    [Test]
    public void The_card_of_the_base_is_kept_beside_the_new_one()
    {
        foreach (var file in Directory.GetFiles(Model)) File.Copy(file, _folder[Path.GetFileName(file)]);
        _folder.Write("README.md", "The base's licence.");

        var run = CommandLine.Run("export", _folder.Path, "--adapter", Adapter, "-o", _folder["merged"]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(File.ReadAllText(_folder["merged", "README.base.md"]), Is.EqualTo("The base's licence."));
        Assert.That(File.ReadAllText(_folder["merged", "README.md"]), Does.StartWith("# `model.onnx` with a lora adapter"));
    }

    [TestCase("[]")]
    [TestCase("""{ "a": 1, "a": 2 }""")]
    [TestCase("""{ "a": NaN }""")]
    public void A_config_that_is_no_object_is_refused_before_anything_is_written(string config)
    {
        foreach (var file in Directory.GetFiles(Model)) File.Copy(file, _folder[Path.GetFileName(file)]);
        _folder.Write("config.json", config);

        var run = CommandLine.Run("export", _folder.Path, "--adapter", Adapter, "-o", _folder["merged"]);

        Assert.That((run.ExitCode, Directory.Exists(_folder["merged"])), Is.EqualTo((1, false)));
        Assert.That(run.Error, Does.Contain("LRT105").And.Contain("config.json"));
    }

    [Test]
    public void An_injected_adapter_is_the_stored_one()
    {
        var run = Run("inject {m} --adapter {run} -o {f}/out.onnx --json");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        foreach (var name in new[] { "adapter_model.safetensors", "adapter_config.json" })
            Assert.That(File.ReadAllBytes(_folder["out.adapter", name]), Is.EqualTo(File.ReadAllBytes(Path.Combine(Adapter, name))), name);
        var verified = CommandLine.Run("verify", Model, _folder["out.onnx"], "--adapter", Adapter, "--json");
        Assert.That(JsonNode.Parse(verified.Output)!["maxAbsDiff"]!.GetValue<double>(), Is.LessThan(1e-5), "the strength is the adapter's own");
    }

    [Test]
    public void Card_of_an_injected_adapter_that_does_not_fold_promises_no_folded_model()
    {
        Assert.That(Run("inject {m} -o {f}/first.onnx --method loretta_adp --option bottleneck=4 --option ttRank=2").ExitCode, Is.Zero);

        var run = Run("inject {m} --adapter {f}/first.adapter -o {f}/out.onnx");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(File.ReadAllText(_folder["out.adapter", "README.md"]), Is.EqualTo(File.ReadAllText(_folder["first.adapter", "README.md"])));
        Assert.That(File.ReadAllText(_folder["out.adapter", "README.md"]), Does.Not.Contain("-o merged --verify"));
    }

    [Test]
    public void Factors_that_are_required_have_no_defaults_and_are_given_by_whoever_runs_the_model()
    {
        Assert.That(Run("inject {m} --adapter {run} -o {f}/out.onnx --required-inputs").ExitCode, Is.Zero);

        var factors = Safetensors.Load(Path.Combine(Adapter, "adapter_model.safetensors")).Tensors
            .ToDictionary(pair => new TensorName(TensorKind.Factor, pair.Key).ToString(), pair => pair.Value);
        var inputs = OnnxModel.Load(_folder["out.onnx"]).Graph.Inputs.Where(input => input.Constant is null).Select(input => input.Name);
        Assert.That(inputs, Is.EquivalentTo(new[] { "input_ids", "attention_mask" }.Concat(factors.Keys)));
        factors["input_ids"] = OnnxTensor.Of<long>([1, 3], [0L, 9L, 2L]);
        factors["attention_mask"] = OnnxTensor.Of<long>([1, 3], [1L, 1L, 1L]);
        Safetensors.Save(_folder["inputs.safetensors"], factors);
        var verified = Run("verify {m} {f}/out.onnx --adapter {run} --inputs {f}/inputs.safetensors");
        Assert.That(verified.ExitCode, Is.Zero, verified.Error);
    }

    [TestCase("--rank", "2")]
    [TestCase("--alpha", "4")]
    [TestCase("--targets", "q")]
    [TestCase("--seed", "1")]
    public void What_the_adapter_states_is_refused_beside_it(string option, string value)
    {
        var run = CommandLine.Run("inject", Model, "--adapter", Adapter, "-o", _folder["out.onnx"], option, value);

        Assert.That((run.ExitCode, run.Error.Split('\n')[0]), Is.EqualTo((2,
            $"error LRT808: {option}: cannot be combined with --adapter, which states it.")));
    }

    [Test]
    public void Factors_of_another_rank_or_alpha_than_given_are_refused()
    {
        var factors = Path.Combine(Adapter, "adapter_model.safetensors");
        string[] command = ["inject", Model, "-o", _folder["out.onnx"], "--method", "lora", "--targets", "q,v", "--factors", factors];

        var run = CommandLine.Run([.. command, "--rank", "2", "--alpha", "2"]);

        Assert.That((run.ExitCode, run.Error.Split('\n')[0]), Is.EqualTo((2,
            $"error LRT326: {factors}: its values were made for rank 2, alpha 4, and rank 2, alpha 2 is given.")));
        Assert.That(CommandLine.Run([.. command, "--rank", "2", "--alpha", "4"]).ExitCode, Is.Zero);
    }

    [Test]
    public void Factors_state_their_rank_in_their_own_metadata_too()
    {
        var tensors = Safetensors.Load(Path.Combine(Adapter, "adapter_model.safetensors")).Tensors;
        Safetensors.Save(_folder["f.safetensors"], tensors, new Dictionary<string, string> { ["alpha"] = "4" });

        var run = CommandLine.Run("inject", Model, "-o", _folder["out.onnx"], "--method", "lora", "--targets", "q,v",
            "--rank", "2", "--alpha", "2", "--factors", _folder["f.safetensors"]);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("made for alpha 4, and alpha 2 is given"));
    }

    private static JsonObject Config(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();

    private CommandLine Run(string command) => CommandLine.Run([.. command.Split(' ').Select(word => word
        .Replace("{m}", Model, StringComparison.Ordinal).Replace("{r}", Recipe, StringComparison.Ordinal)
        .Replace("{run}", _trained["run"], StringComparison.Ordinal).Replace("{rows}", _trained.Rows, StringComparison.Ordinal)
        .Replace("{f}", _folder.Path, StringComparison.Ordinal))]);

    private double Loss(string? adapter)
    {
        var run = CommandLine.Run(["evaluate", Recipe, "--json", .. adapter is null ? Array.Empty<string>() : ["--adapter", adapter]]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return JsonNode.Parse(run.Output)!["loss"]!.GetValue<double>();
    }
}
