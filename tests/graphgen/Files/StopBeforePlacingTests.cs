using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

/// <summary>Whenever a command is told to stop while it writes over an older output, all of the new one takes its place or nothing of
/// it does.</summary>
internal sealed class StopBeforePlacingTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder()
    {
        FileSteps.Before = null;
        _folder.Dispose();
    }

    [Test]
    public void A_file() => AssertWholeAtEachStop(size => AtomicFile.WriteText(_folder["a"], new string('a', size)));

    [Test]
    public void A_folder() => AssertWholeAtEachStop(WriteFolder);

    [Test]
    public void A_model_with_its_data() => AssertWholeAtEachStop(size => ModelWriter.Save(ModelOf(size), _folder["m.onnx"]));

    [Test]
    public void A_model_with_its_data_and_a_folder_that_belongs_to_it() => AssertWholeAtEachStop(WritePair);

    [Test]
    public void A_folder_that_cannot_take_its_place_brings_back_the_model_that_it_belongs_to()
    {
        WritePair(1);
        var old = Contents();

        Assert.That(() => ModelWriter.Save(ModelOf(2), _folder["m.onnx"], placeCompanion: () => throw new IOException("Not permitted.")),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT104"));

        Assert.That(Contents(), Is.EqualTo(old));
    }

    private void AssertWholeAtEachStop(Action<int> write)
    {
        write(1);
        var (old, steps) = (Contents(), 0);
        FileSteps.Before = () => steps++;
        write(2);
        var whole = Contents();

        Assert.That(StoppedAt(1), Is.EqualTo(old));
        for (var step = 2; step <= steps; step++)
            Assert.That(StoppedAt(step), Is.EqualTo(old).Or.EqualTo(whole), $"stopped at step {step} of {steps}");

        IReadOnlyDictionary<string, string> StoppedAt(int last)
        {
            (FileSteps.Before, var step) = (null, 0);
            write(1);
            using var stop = new CancellationTokenSource();
            using var asked = StopRequest.Under(stop.Token);
            FileSteps.Before = () =>
            {
                if (++step == last) stop.Cancel();
            };
            try
            {
                write(2);
            }
            catch (OperationCanceledException)
            {
                Assert.That(stop.IsCancellationRequested);
            }
            return Contents();
        }
    }

    private void WriteFolder(int size) =>
        AtomicFolder.Write(_folder["out"], _ => true, folder => File.WriteAllText(Path.Combine(folder, "a"), new string('a', size)));

    private void WritePair(int size) => AtomicFolder.Write(
        _folder["out"], _ => true, folder => File.WriteAllText(Path.Combine(folder, "a"), new string('a', size)),
        place => ModelWriter.Save(ModelOf(size), _folder["m.onnx"], place));

    private static OnnxModel ModelOf(int size)
    {
        var graph = new Graph("m");
        var tape = new Tape(graph);
        var x = tape[graph.AddInput("x", ElementType.Float, [size])];
        graph.AddOutput((x * tape.Constant(OnnxTensor.Vector<float>(new float[size]), "w")).Value);
        graph.Find("w")!.IsExternal = true;
        return new OnnxModel(graph);
    }

    // Every file with its text.
    private Dictionary<string, string> Contents() => _folder.Entries.Where(name => File.Exists(_folder[name]))
        .ToDictionary(name => name, name => Convert.ToHexString(File.ReadAllBytes(_folder[name])), StringComparer.Ordinal);
}
