using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>Whatever is wrong with what a person gives: one sentence and a hint on standard error, exit code 1 or 2, nothing on standard output, no file left.</summary>
internal sealed class BadInputTests
{
    private static readonly string[] BadModels = ["truncated", "half", "random", "empty", "text", "no-attention", "missing", "folder"];

    // {m} the bad model, {f} the test's folder.
    private static readonly string[] Commands =
    [
        "inspect {m}",
        "inspect {m} --graph {f}/out.onnx",
        "methods {m} --targets q,v",
        "inject {m} -o {f}/out.onnx",
        "export {m} --adapter {f}/adapter -o {f}/out.onnx",
        "train {f}/recipe.yaml --set model={m}",
        "evaluate {f}/recipe.yaml --model {m}",
        "verify {m} {m}",
        "generate {m} --tokenizer {hf} --prompt And",
    ];

    private TestFolder _folder = null!;

    private static IEnumerable<TestCaseData> CommandsOnModels =>
        from command in Commands
        from model in BadModels
        where command != "verify {m} {m}" || model != "no-attention"   // two equal models agree, whatever they are
        where !command.StartsWith("inspect", StringComparison.Ordinal) || model != "no-attention"   // it is shown before it fails
        where !command.StartsWith("methods", StringComparison.Ordinal) || model != "no-attention"   // its parameters can be trained
        select new TestCaseData(command, model);

    [SetUp]
    public void FillFolder()
    {
        _folder = new();
        var whole = File.ReadAllBytes(Exports.Path("llama-mini/ts-sdpa"));
        File.WriteAllBytes(_folder["truncated.onnx"], whole[..^1000]);
        File.WriteAllBytes(_folder["half.onnx"], whole[..(whole.Length / 2)]);
        var random = new SeededRandom(0, "bytes");
        File.WriteAllBytes(_folder["random.onnx"], [.. Enumerable.Range(0, 5000).Select(_ => (byte)random.NextBits())]);
        File.WriteAllBytes(_folder["empty.onnx"], []);
        _folder.Write("text.onnx", "This is no model at all.\n");
        Directory.CreateDirectory(_folder["folder.onnx"]);
        NoAttention().Save(_folder["no-attention.onnx"]);
        _folder.Write("recipe.yaml", $$"""
            model: {{Exports.Path("llama-mini/ts-sdpa")}}
            tokenizer: {{Fixtures.Path("models", "llama-mini", "hf")}}
            task: causal-lm
            output: run
            data: { train: {{Fixtures.Path("data", "own", "ship-log.txt")}}, validationFraction: 0.15, maxLength: 32, packing: true }
            train: { steps: 1, batchSize: 1 }
            """);
        MakeAdapter();
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCaseSource(nameof(CommandsOnModels))]
    public void Bad_model_is_one_sentence(string command, string model) => Refused(command.Replace("{m}", _folder[$"{model}.onnx"], StringComparison.Ordinal));

    [TestCase("train {f}/recipe.yaml --set trian.steps=3")]
    [TestCase("train {f}/recipe.yaml --set train.optimizer.lr=-1")]
    [TestCase("train {f}/recipe.yaml --set task=poetry")]
    [TestCase("train {f}/recipe.yaml --set adapter.method=lorax")]
    [TestCase("train {f}/recipe.yaml --set adapter.options.zero=Z")]
    [TestCase("train {f}/recipe.yaml --set adapter.options.zeros=B")]
    [TestCase("train {f}/recipe.yaml --set adapter.layers=[9]")]
    [TestCase("train {f}/recipe.yaml --set adapter.targets=[q,gate]")]
    [TestCase("train {f}/recipe.yaml --set data.train=none.txt")]
    [TestCase("train {f}/recipe.yaml --set tokenizer=nowhere")]
    [TestCase("train {f}/recipe.yaml --set data.maxLength=100000")]
    [TestCase("train {f}/recipe.yaml --set task=dpo")]
    [TestCase("train {f}/recipe.yaml --set trainables=[{\"match\":\"nothing.*\"}]")]
    [TestCase("train {f}/none.yaml")]
    [TestCase("train {f}/text.onnx")]
    [TestCase("evaluate {f}/recipe.yaml --adapter {f}/none")]
    [TestCase("evaluate {f}/recipe.yaml --set data.validationFraction=0")]
    public void Bad_recipe_is_one_sentence(string command) => Refused(command);

    [Test]
    public void Recipe_without_a_required_key_names_the_key()
    {
        File.WriteAllLines(_folder["recipe.yaml"], File.ReadAllLines(_folder["recipe.yaml"]).Where(line => !line.StartsWith("task", StringComparison.Ordinal)));

        Refused("train {f}/recipe.yaml", "task");
    }

    [TestCase("export {model} --adapter {f}/none -o {f}/out.onnx")]
    [TestCase("export {model} --adapter {f}/text.onnx -o {f}/out.onnx")]
    [TestCase("export {model} --adapter {hf} -o {f}/out.onnx")]
    [TestCase("export {other} --adapter {f}/adapter -o {f}/out.onnx")]
    [TestCase("verify {model} {model} --adapter {f}/none")]
    [TestCase("verify {other} {other} --adapter {f}/adapter")]
    [TestCase("verify {model} {model} --inputs {f}/none.safetensors")]
    [TestCase("verify {model} {model} --inputs {f}/random.onnx")]
    [TestCase("verify {model} {seqcls}")]
    [TestCase("inject {model} -o {f}/out.onnx --factors {f}/random.onnx")]
    [TestCase("inject {model} -o {f}/out.onnx --factors {f}/adapter/adapter_config.json")]
    [TestCase("inject {model} -o {f}/out.onnx --layers 7")]
    [TestCase("inject {model} -o {f}/out.onnx --layers x")]
    [TestCase("inject {model} -o {f}/out.onnx --option zero")]
    [TestCase("inject {model} -o {f}/out.onnx --option zero=A --option zero=B")]
    [TestCase("inject {model} -o {f}/out.onnx --targets q,q")]
    [TestCase("inject {model} -o {f}/out.onnx --targets ,")]
    [TestCase("inject {model} -o {f}/out.onnx --method lora --targets q,q")]
    [TestCase("inject {model} -o {f}/out.onnx --targets gate")]
    [TestCase("inject {model} -o {f}/out.onnx --rank 2000000000")]
    [TestCase("inject {model} -o {f}/out.onnx --alpha -1")]
    [TestCase("inject {model} -o {f}/out.onnx --option orientation=input-heads --targets k")]
    [TestCase("generate {model} --tokenizer {hf} --prompt And --adapter {f}/none")]
    [TestCase("generate {other} --tokenizer {hf} --prompt And --adapter {f}/adapter")]
    [TestCase("generate {model} --tokenizer {f} --prompt And")]
    [TestCase("generate {model} --tokenizer {f}/none --prompt And")]
    [TestCase("gradcheck {model} --golden {f}/none.safetensors")]
    [TestCase("gradcheck {model}")]
    [TestCase("verify {model} {model} --samples 0")]
    [TestCase("verify {model} {model} --length -3")]
    [TestCase("verify {model} {model} --length 0")]
    [TestCase("verify {model} {model} --tolerance NaN")]
    [TestCase("artifacts {model} -o {f}/out --task causal-lm --dialect ort-training --method adalora --rank 4 --option target=2")]
    [TestCase("artifacts {model} -o {f}/out --task causal-lm --dialect other")]
    public void Bad_adapter_or_file_is_one_sentence(string command) => Refused(command);

    [TestCase("export {model} --adapter {f}/adapter -o {f}/out.onnx --device cuda:99")]
    [TestCase("verify {model} {model} --device cuda:99")]
    [TestCase("gradcheck {model} --task causal-lm --device cuda:99")]
    [TestCase("gradcheck {model} --task causal-lm --device cuda:99 --allow-tf32")]
    [TestCase("generate {model} --tokenizer {hf} --prompt And --device cuda:99")]
    [TestCase("train {f}/recipe.yaml --device cuda:99 --allow-tf32")]
    [TestCase("train {f}/recipe.yaml --set device=cuda:99")]
    [TestCase("evaluate {f}/recipe.yaml --device cuda:99")]
    [TestCase("quickstart -o {f}/out --device cuda:99")]
    public void Device_that_is_not_there_is_one_sentence(string command) => Refused(command, "LRT611");

    [Test]
    public void Runtime_that_this_build_lacks_is_one_sentence() => Refused("train {f}/recipe.yaml --runtime ort-training", "LRT575");

    [Test]
    public void Portable_dialect_is_the_default()
    {
        Assert.That(Run("artifacts {model} -o {f}/named --task causal-lm --dialect portable").ExitCode, Is.Zero);
        Assert.That(Run("artifacts {model} -o {f}/default --task causal-lm").ExitCode, Is.Zero);

        Assert.That(File.ReadAllBytes(_folder["named", "training_model.onnx"]), Is.EqualTo(File.ReadAllBytes(_folder["default", "training_model.onnx"])));
    }

    [TestCase("adapter_model.safetensors", "truncated")]
    [TestCase("adapter_model.safetensors", "deleted")]
    [TestCase("adapter_config.json", "truncated")]
    [TestCase("adapter_config.json", "deleted")]
    public void Damaged_adapter_is_one_sentence(string file, string damage)
    {
        var path = _folder["adapter", file];
        var whole = File.ReadAllBytes(path);
        File.Delete(path);
        if (damage == "truncated") File.WriteAllBytes(path, whole[..(whole.Length / 2)]);

        Refused("export {model} --adapter {f}/adapter -o {f}/out.onnx", file);
    }

    [Test]
    public void Adapter_without_one_of_its_tensors_names_it()
    {
        var adapter = Adapter.Load(_folder["adapter"]);
        (adapter with { Tensors = adapter.Tensors.Where(pair => pair.Key != "C_M").ToDictionary() }).Save();

        Refused("export {model} --adapter {f}/adapter -o {f}/out.onnx", "'C_M' is missing");
    }

    [TestCase("scale", "5", "scale is 5, but 8 follows")]
    [TestCase("rank", "0", "rank: must be >= 1, was 0")]
    [TestCase("targets", "[\"q\", \"q\"]", "names a matrix twice")]
    [TestCase("targets", "7", "'targets' is missing or of the wrong type")]
    [TestCase("headMap", "{\"q\": [0, 1, 2, 3], \"k\": [0, 2], \"v\": [3, 3], \"p\": [0, 1, 2, 3]}", "headMap.v is [3, 3], but [0, 2] follows")]
    [TestCase("headMap", "{\"q\": [0, 1, 2, 3], \"k\": [0, 2], \"v\": [0, 2]}", "headMap.p is missing")]
    [TestCase("orientation", "{\"q\": \"output-heads\", \"k\": \"output-heads\", \"v\": \"input-heads\", \"p\": \"input-heads\"}", "orientation.v is input-heads, but output-heads follows")]
    public void Adapter_that_says_two_things_is_refused(string key, string value, string says)
    {
        var json = JsonNode.Parse(File.ReadAllText(_folder["adapter", "adapter_config.json"]))!.AsObject();
        json[key] = JsonNode.Parse(value);
        _folder.Write("adapter/adapter_config.json", json.ToJsonString());

        Refused("export {model} --adapter {f}/adapter -o {f}/out.onnx", says);
        Refused("verify {model} {model} --adapter {f}/adapter", says);
    }

    [Test]
    public void Adapter_whose_sketch_leaves_a_weight_out_is_refused()
    {
        var adapter = Adapter.Load(_folder["adapter"]);
        (adapter with { Config = adapter.Config with { Base = adapter.Config.Base with { Sketch = new WeightSketch(new Dictionary<string, IReadOnlyList<float>>()) } } }).Save();

        Refused("export {model} --adapter {f}/adapter -o {f}/out.onnx", "layers.0.k has no sketch");
    }

    [TestCase("export {model} --adapter {f}/adapter -o {f}/text.onnx/out.onnx")]
    [TestCase("inject {model} -o {f}/text.onnx/out.onnx")]
    [TestCase("inspect {model} --graph {f}/text.onnx/out.onnx")]
    [TestCase("train {f}/recipe.yaml -o {f}/text.onnx/run")]
    public void Output_that_cannot_be_written_is_one_sentence(string command) => Refused(command);

    [TestCase("export {model} --adapter {f}/adapter -o {f}/text.onnx")]
    [TestCase("inject {model} -o {f}/text.onnx")]
    [TestCase("inspect {model} --graph {f}/text.onnx")]
    [TestCase("train {f}/recipe.yaml -o {f}/adapter")]
    public void Existing_output_is_refused_without_force(string command)
    {
        var before = File.ReadAllText(_folder["text.onnx"]);

        Refused(command, "exists already");

        Assert.That(File.ReadAllText(_folder["text.onnx"]), Is.EqualTo(before));
    }

    [TestCase("export {model} --adapter {f}/adapter -o {f}/no-attention.onnx --force")]
    [TestCase("inject {model} -o {f}/no-attention.onnx --force")]
    [TestCase("inspect {model} --graph {f}/no-attention.onnx --force")]
    public void Existing_output_is_replaced_with_force(string command)
    {
        var before = new FileInfo(_folder["no-attention.onnx"]).Length;

        var run = Run(command);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        Assert.That(new FileInfo(_folder["no-attention.onnx"]).Length, Is.Not.EqualTo(before));
    }

    [TestCase("export {f}/base.onnx --adapter {f}/adapter -o {f}/base.onnx --force")]
    [TestCase("inject {f}/base.onnx -o {f}/base.onnx --force")]
    [TestCase("inspect {f}/base.onnx --graph {f}/base.onnx --force")]
    [TestCase("artifacts {f}/base.onnx --task causal-lm -o {f} --force")]
    public void Model_is_never_overwritten_by_what_is_made_of_it(string command)
    {
        File.Copy(Exports.Path("llama-mini/ts-sdpa"), _folder["base.onnx"]);

        Refused(command, "from which it is made");
    }

    [TestCase("artifacts {model} --task causal-lm -o {f}/mine --force")]
    [TestCase("inject {model} -o {f}/mine.onnx --force")]
    [TestCase("export {folder} --adapter {f}/adapter -o {f}/mine --force")]
    public void Folder_with_files_of_others_is_never_replaced(string command)
    {
        foreach (var folder in new[] { "mine", "mine.adapter" })
        {
            Directory.CreateDirectory(_folder[folder]);
            _folder.Write($"{folder}/notes.txt", "mine");
        }

        Refused(command, "'notes.txt'");
    }

    [Test]
    public void Folder_with_several_models_is_refused_with_their_names() => Refused("inspect {f}", "half.onnx");

    private CommandLine Run(string command, params string[] more) => CommandLine.Run([.. command.Split(' ').Select(word => word
        .Replace("{f}", _folder.Path, StringComparison.Ordinal)
        .Replace("{hf}", Fixtures.Path("models", "llama-mini", "hf"), StringComparison.Ordinal)
        .Replace("{folder}", Path.Combine(Fixtures.Repository, "models", "llama-mini"), StringComparison.Ordinal)
        .Replace("{model}", Exports.Path("llama-mini/ts-sdpa"), StringComparison.Ordinal)
        .Replace("{other}", Exports.Path("esm-mini/mlm.ts-eager"), StringComparison.Ordinal)
        .Replace("{seqcls}", Exports.Path("roberta-mini/seqcls.ts-eager"), StringComparison.Ordinal)), .. more]);

    private void Refused(string command, string? says = null)
    {
        var before = _folder.Entries;

        var run = Run(command);

        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.AnyOf(1, 2), run.Output);
            Assert.That(run.Output, Is.Empty);
            Assert.That(run.Error, Does.Match("^(.+\\(\\d+\\): )?error( LRT\\d+)?: .+\n(  .+\n)*hint: .+\n$").And.Not.Contain("Unexpected"));
            if (says is not null) Assert.That(run.Error, Does.Contain(says));
            Assert.That(_folder.Entries, Is.EqualTo(before));
        });
    }

    private void MakeAdapter()
    {
        var run = Run("inject {model} -o {f}/made.onnx --rank 2");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Directory.Move(_folder["made.adapter"], _folder["adapter"]);
        File.Delete(_folder["made.onnx"]);
    }

    private static OnnxModel NoAttention()
    {
        var graph = new Graph("plain");
        var tape = new Tape(graph, onnxOnly: true);
        var x = tape[graph.AddInput("x", ElementType.Float, [Dim.Symbol("batch"), 4])];
        var product = x.MatMul(tape.Constant(OnnxTensor.Of<float>([4, 4], new float[16]), "w"));
        graph.Rename(product.Value, "logits");
        graph.AddOutput(product.Value);
        var model = new OnnxModel(graph);
        model.OpsetVersions[string.Empty] = 18;
        return model;
    }
}
