using System.Text.Json;
using Google.FlatBuffers;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts.OrtTraining;

/// <summary>Checkpoints of ONNX Runtime Training, against files that it and its tools wrote.</summary>
internal sealed class OrtCheckpointTests
{
    private readonly TestFolder _folder = new();

    private static IEnumerable<string> Goldens => Fixtures.Files("ort-training", "*checkpoint*");

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Saved_run_is_read_as_the_runtime_left_it()
    {
        var checkpoint = OrtCheckpoint.Load(Golden("mlp/checkpoint-after-5-steps"));

        using var expected = JsonDocument.Parse(File.ReadAllText(Golden("mlp/expected.json")));
        var after = expected.RootElement.GetProperty("runs")[0].GetProperty("parameters_after");
        Assert.Multiple(() =>
        {
            Assert.That(checkpoint.Trained.Concat(checkpoint.Frozen).Select(parameter => parameter.Name), Is.EquivalentTo(after.EnumerateObject().Select(parameter => parameter.Name)));
            foreach (var (name, value) in checkpoint.Trained.Concat(checkpoint.Frozen)) Assert.That(value.ToFloats(), Is.EqualTo(Flat(after.GetProperty(name))).Within(1e-6f), name);
            Assert.That(checkpoint.Frozen.Select(parameter => parameter.Name), Is.EqualTo(new[] { "input.scale" }));
            Assert.That(checkpoint.Properties.Integers, Is.EqualTo(new Dictionary<string, long> { ["epoch"] = 3 }));
            Assert.That(checkpoint.Properties.Floats, Is.EqualTo(new Dictionary<string, float> { ["best_loss"] = 0.25f }));
            Assert.That(checkpoint.Properties.Texts, Is.EqualTo(new Dictionary<string, string> { ["note"] = "after five steps" }));
        });
        var group = checkpoint.Groups.Single();
        Assert.That((group.Name, group.Step), Is.EqualTo((OrtCheckpoint.Group, 5)));
        Assert.That(group.States.Select(state => state.Parameter), Is.EquivalentTo(checkpoint.Trained.Select(parameter => parameter.Name)));
        Assert.That(group.States.SelectMany(state => state.Moments).Select(moment => moment.Name).Distinct(), Is.EqualTo(new[] { OrtParameterState.First, OrtParameterState.Second }));
    }

    [TestCaseSource(nameof(Goldens))]
    public void Golden_is_the_same_in_every_field_after_it_was_written_again(string golden)
    {
        var checkpoint = OrtCheckpoint.Load(Golden(golden));

        checkpoint.Save(_folder["again"]);

        Assert.That(Fields(OrtCheckpoint.Load(_folder["again"])), Is.EqualTo(Fields(checkpoint)));
    }

    [Test]
    public void Tensors_that_one_file_cannot_hold_lie_beside_it()
    {
        var checkpoint = OrtCheckpoint.Load(Golden("mlp/checkpoint-after-5-steps"));

        checkpoint.Save(_folder["large"], inlineLimit: 100);

        Assert.That(new FileInfo(_folder["large.data"]).Length, Is.EqualTo((6 + (3 * ((6 * 8) + 8 + (8 * 3) + 3))) * sizeof(float)), "the scales, and three of each parameter");
        Assert.That(Fields(OrtCheckpoint.Load(_folder["large"])), Is.EqualTo(Fields(checkpoint)));
    }

    [Test]
    public void Tensors_beside_the_file_must_be_there_whole()
    {
        OrtCheckpoint.Load(Golden("mlp/checkpoint")).Save(_folder["cut"], inlineLimit: 100);
        File.WriteAllBytes(_folder["cut.data"], File.ReadAllBytes(_folder["cut.data"])[..^1]);
        OrtCheckpoint.Load(Golden("mlp/checkpoint")).Save(_folder["alone"], inlineLimit: 100);
        File.Delete(_folder["alone.data"]);

        Assert.That(() => OrtCheckpoint.Load(_folder["cut"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT105").And.Message.Contains("cut.data"));
        Assert.That(() => OrtCheckpoint.Load(_folder["alone"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT101").And.Message.Contains("alone.data"));
    }

    [TestCase(1)]
    [TestCase(8)]
    public void Damaged_file_gives_one_sentence_that_names_it(int bytesChanged)
    {
        var goldens = Goldens.Select(golden => File.ReadAllBytes(Golden(golden))).ToList();
        var random = new SeededRandom(0, $"damage of {bytesChanged} bytes");
        var damaged = _folder["damaged"];
        var refused = 0;

        for (var i = 0; i < 500; i++)
        {
            var bytes = goldens[i % goldens.Count].ToArray();
            for (var change = 0; change < bytesChanged; change++) bytes[Below(bytes.Length)] = (byte)Below(256);
            File.WriteAllBytes(damaged, bytes[..(i % 5 == 0 ? Below(bytes.Length) : bytes.Length)]);
            try
            {
                _ = Fields(OrtCheckpoint.Load(damaged));
            }
            catch (LortaException e)
            {
                refused++;
                Assert.That((e.Code, e.Message), Is.EqualTo(("LRT105", e.Message)), $"mutation {i}");
                Assert.That(e.Message, Does.StartWith($"{damaged}: ").And.EndsWith("."), $"mutation {i}");
            }
        }

        Assert.That(refused, Is.GreaterThan(50), "the rest are changed numbers, names and padding");

        int Below(int limit) => (int)(random.NextUniform() * limit);
    }

    [Test]
    public void Text_that_many_notes_share_is_not_read_for_each_of_them()
    {
        var builder = new FlatBufferBuilder(1 << 20);
        var text = builder.CreateString(new string('x', 100_000)).Value;
        var bag = Table(builder, 3, (2, Vector(builder, [.. Enumerable.Range(0, 1000).Select(i => Table(builder, 2, (0, builder.CreateString($"{i}").Value), (1, text)))])));
        var module = Table(builder, 4, (0, Vector(builder, [])), (1, Vector(builder, [])));
        builder.StartTable(4);
        builder.AddInt(0, 2, 0);
        builder.AddOffset(1, module, 0);
        builder.AddOffset(3, bag, 0);
        builder.Finish(builder.EndTable(), "ODTC");
        File.WriteAllBytes(_folder["shared"], builder.SizedByteArray());

        Assert.That(() => OrtCheckpoint.Load(_folder["shared"]), Throws.TypeOf<LortaException>().With.Message.Contains("describes more than the file can hold"));
    }

    private static string Golden(string name) => Fixtures.Path("ort-training", name);

    private static IEnumerable<float> Flat(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().SelectMany(Flat) : [element.GetSingle()];

    // Everything that a checkpoint says, in words.
    private static string[] Fields(OrtCheckpoint checkpoint) =>
    [
        $"nominal {checkpoint.IsNominal}",
        .. checkpoint.Trained.Select(parameter => $"trained {Words(parameter)}"),
        .. checkpoint.Frozen.Select(parameter => $"frozen {Words(parameter)}"),
        .. checkpoint.Groups.SelectMany(group => group.States
            .SelectMany(state => state.Moments.Select(moment => $"moment of {state.Parameter} {Words(moment)}"))
            .Prepend($"group {group.Name} {group.Step} {group.InitialLearningRate:R}")),
        .. checkpoint.Properties.Integers.Select(note => $"integer {note}"),
        .. checkpoint.Properties.Floats.Select(note => $"float {note}"),
        .. checkpoint.Properties.Texts.Select(note => $"text {note}"),
    ];

    private static int Table(FlatBufferBuilder builder, int slots, params (int Slot, int Target)[] fields)
    {
        builder.StartTable(slots);
        foreach (var (slot, target) in fields) builder.AddOffset(slot, target, 0);
        return builder.EndTable();
    }

    private static int Vector(FlatBufferBuilder builder, int[] tables)
    {
        builder.StartVector(sizeof(int), tables.Length, sizeof(int));
        foreach (var table in tables.Reverse()) builder.AddOffset(table);
        return builder.EndVector().Value;
    }

    private static string Words(OrtParameter parameter) => $"{parameter.Name} {parameter.Value} {Convert.ToHexString(parameter.Value.Bytes)}";
}
