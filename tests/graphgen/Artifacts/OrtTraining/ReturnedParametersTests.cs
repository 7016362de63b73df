using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts.OrtTraining;

/// <summary>What a host has trained becomes an adapter.</summary>
internal sealed class ReturnedParametersTests
{
    private TestFolder _folder = null!;
    private TrainingGraphs _graphs = null!;
    private OrtCheckpoint _trained = null!;

    private string Artifacts => _folder["artifacts"];

    [OneTimeSetUp]
    public void Train()
    {
        _folder = new();
        _graphs = TrainingGraphs.Build(
            OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")),
            new TrainingOptions { Adapter = new() { Method = "lora", Rank = 2, LoraPlus = 4 }, Task = "classification", Trainables = [new() { Match = "classifier.out_proj.*" }] });
        OrtTrainingArtifacts.Write(_graphs, Artifacts, embedWeights: false);
        var first = OrtCheckpoint.Load(_folder["artifacts", "checkpoint"]);
        _trained = first with { Trained = [.. first.Trained.Select(parameter => parameter with { Value = RandomTensor.Normal(parameter.Name, [.. parameter.Value.Dims]) })] };
        _trained.Save(_folder["saved"]);
        File.WriteAllBytes(_folder["buffer"], [.. _trained.Trained.SelectMany(parameter => parameter.Value.Bytes.ToArray())]);
    }

    [OneTimeTearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("saved")]
    [TestCase("buffer")]
    public void Adapter_holds_what_was_trained_times_the_factor_of_its_learning_rate(string file)
    {
        OrtTrainingArtifacts.AdapterOf(_folder[file], Artifacts).Adapter.Save(_folder[$"adapter of {file}"]);

        var adapter = Adapter.Load(_folder[$"adapter of {file}"]);
        Assert.That(adapter.Tensors.Keys, Is.EquivalentTo(_graphs.Trained.Select(tensor => tensor.Name)));
        foreach (var (tensor, trained) in _graphs.Trained.Zip(_trained.Trained))
        {
            var factor = tensor.Name.EndsWith(".B", StringComparison.Ordinal) ? 4 : 1;
            Assert.That(adapter.Tensors[tensor.Name].ToFloats(), Is.EqualTo(trained.Value.ToFloats().Select(number => number * factor)), tensor.Name);
        }
        Assert.That(adapter.Config, Has.Property("Task").EqualTo("classification").And.Property("Trainables").Count.EqualTo(2));
    }

    // 4 times a number is exact, 3 times is not.
    [TestCase(4, 0, 0)]
    [TestCase(3, 1e-9, 1e-7)]
    public void Error_is_what_taking_the_factor_out_has_rounded(double loraPlus, double least, double most)
    {
        using var folder = new TestFolder();
        var graphs = TrainingGraphs.Build(
            OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), new TrainingOptions { Adapter = new() { Method = "lora", Rank = 2, LoraPlus = loraPlus }, Task = "causal-lm" });
        OrtTrainingArtifacts.Write(graphs, folder["artifacts"], embedWeights: false);
        var first = OrtCheckpoint.Load(folder["artifacts", "checkpoint"]);
        (first with { Trained = [.. first.Trained.Select(parameter => parameter with { Value = RandomTensor.Normal(parameter.Name, [.. parameter.Value.Dims]) })] }).Save(folder["saved"]);

        Assert.That(OrtTrainingArtifacts.AdapterOf(folder["saved"], folder["artifacts"]).Error, Is.InRange(least, most));
    }

    [Test]
    public void Checkpoint_of_the_artifacts_is_the_initial_adapter() =>
        Assert.That(
            OrtTrainingArtifacts.AdapterOf(_folder["artifacts", "checkpoint"], Artifacts).Adapter.Tensors.Select(tensor => (tensor.Key, Convert.ToHexString(tensor.Value.Bytes))),
            Is.EquivalentTo(Adapter.Load(_folder["artifacts", "initial"]).Tensors.Select(tensor => (tensor.Key, Convert.ToHexString(tensor.Value.Bytes)))));

    [Test]
    public void Checkpoint_of_other_artifacts_is_refused_with_the_first_difference()
    {
        var (first, others) = (_trained.Trained[0], _trained.Trained.Skip(1));
        (_trained with { Trained = [.. others] }).Save(_folder["less"]);
        (_trained with { Trained = [.. _trained.Trained, first with { Name = "more" }] }).Save(_folder["more"]);
        (_trained with { Trained = [first with { Value = OnnxTensor.Scalar(1f) }, .. others] }).Save(_folder["other"]);

        foreach (var (file, named) in new[] { ("less", first.Name), ("more", "more"), ("other", first.Name) })
            Assert.That(() => OrtTrainingArtifacts.AdapterOf(_folder[file], Artifacts), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT579").And.Message.Contains($"'{named}'"));
    }

    [Test]
    public void Buffer_of_another_length_is_refused()
    {
        File.WriteAllBytes(_folder["short"], File.ReadAllBytes(_folder["buffer"])[..^4]);

        Assert.That(() => OrtTrainingArtifacts.AdapterOf(_folder["short"], Artifacts), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT580"));
    }

    [Test]
    public void Numbers_that_are_not_finite_are_refused()
    {
        var bytes = File.ReadAllBytes(_folder["buffer"]);
        BitConverter.TryWriteBytes(bytes, float.NaN);
        File.WriteAllBytes(_folder["broken"], bytes);

        Assert.That(() => OrtTrainingArtifacts.AdapterOf(_folder["broken"], Artifacts), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT313"));
    }
}
