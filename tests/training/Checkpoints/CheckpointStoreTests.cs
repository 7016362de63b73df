using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Checkpoints;

internal sealed class CheckpointStoreTests
{
    private static readonly Recipe Recipe = new() { Model = "m.onnx", Task = "classification", Data = new() { Train = "t.tsv" } };

    private readonly List<string> _notes = [];
    private string _folder = null!;
    private CheckpointStore _store = null!;

    [SetUp]
    public void CreateStore()
    {
        _folder = Directory.CreateTempSubdirectory("checkpoints").FullName;
        _notes.Clear();
        _store = new(_folder, _notes.Add);
    }

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Everything_comes_back()
    {
        _store.Save(At(5) with { BestMetric = 0.1 + 0.2, BestStep = 3, Numbers = new Dictionary<string, double> { ["seconds"] = 1.0 / 3 } });

        var read = _store.Newest()!;

        Assert.Multiple(() =>
        {
            Assert.That((read.Step, read.Position, read.Seed, read.Threads), Is.EqualTo((5, new DataPosition(1, 7), 9, 2)));
            Assert.That((read.BestMetric, read.BestStep, read.Numbers["seconds"]), Is.EqualTo(((double?)(0.1 + 0.2), (long?)3, 1.0 / 3)));
            Assert.That(read.Recipe, Is.EqualTo(RecipeIdentity.Of(Recipe)));
            Assert.That(read.State["A"].ToFloats(), Is.EqualTo(new[] { 1.5f, -2, 5 }));
        });
    }

    [Test]
    public void Equal_checkpoints_are_equal_bytes()
    {
        _store.Save(At(1));
        var first = File.ReadAllBytes(_store.PathOf(1));

        _store.Save(At(1));

        Assert.That(File.ReadAllBytes(_store.PathOf(1)), Is.EqualTo(first));
    }

    [Test]
    public void The_last_two_and_the_best_stay()
    {
        for (var step = 1; step <= 5; step++) _store.Save(At(step) with { BestStep = Math.Min(step, 2) });

        Assert.That(Names(), Is.EqualTo(new[] { "step-00000002.safetensors", "step-00000004.safetensors", "step-00000005.safetensors" }));
    }

    [Test]
    public void A_folder_that_does_not_exist_holds_none() => Assert.That(new CheckpointStore(Path.Join(_folder, "none")).Newest(), Is.Null);

    [Test]
    public void What_an_interrupted_write_left_is_ignored_and_later_removed()
    {
        _store.Save(At(1));
        File.WriteAllText(Path.Join(_folder, "lorta-0123456789abcdef.tmp"), "half");

        Assert.That(_store.Newest()!.Step, Is.EqualTo(1));
        _store.Save(At(3));
        Assert.That(Names(), Is.EqualTo(new[] { "step-00000001.safetensors", "step-00000003.safetensors" }));
    }

    [Test]
    public void A_file_cut_anywhere_is_skipped_with_a_note([Values(0, 5, 100, -1)] int length)
    {
        _store.Save(At(1));
        _store.Save(At(2));
        var bytes = File.ReadAllBytes(_store.PathOf(2));
        Rewrite(_store.PathOf(2), length < 0 ? bytes[..^1] : bytes[..length]);

        Assert.That(_store.Newest()!.Step, Is.EqualTo(1));
        Assert.That(_notes, Has.One.Contains("step-00000002.safetensors"));
    }

    [Test]
    public void A_flipped_bit_anywhere_never_gives_another_checkpoint()
    {
        _store.Save(At(1));
        _store.Save(At(2));
        var bytes = File.ReadAllBytes(_store.PathOf(2));

        for (var i = 0; i < bytes.Length; i++)
        {
            var flipped = bytes.ToArray();
            flipped[i] ^= 1;
            Rewrite(_store.PathOf(2), flipped);
            Assert.That(_store.Newest()!.Step == 1 || IsHeaderPadding(bytes, i), Is.True, $"byte {i}");
        }
    }

    [Test]
    public void Damaged_files_alone_are_not_the_same_as_none()
    {
        _store.Save(At(1));
        _store.Save(At(2));
        foreach (var step in new[] { 1, 2 }) Rewrite(_store.PathOf(step), [1, 2, 3]);

        Assert.That(() => _store.Newest(), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT560").And.Message.Contains("all of the 2 checkpoints"));
    }

    [Test]
    public void A_state_that_is_asked_for_is_the_newest_one_or_none()
    {
        _store.Save(At(1));
        _store.Save(At(2));
        Assert.That(_store.NewestPath(), Is.EqualTo(_store.PathOf(2)));

        Rewrite(_store.PathOf(2), [1, 2, 3]);

        var failure = Assert.Throws<LortaException>(() => _store.NewestPath())!;
        Assert.That(failure.Message, Does.StartWith(_store.PathOf(2)));
        Assert.That(failure.Hint, Does.EndWith(_store.PathOf(1)));
    }

    [Test]
    public void Another_recipe_is_refused_with_the_keys_that_differ()
    {
        _store.Save(At(1));

        Assert.That(() => _store.Resume(RecipeIdentity.Of(Recipe with { Seed = 4 }), 2), Throws.TypeOf<LortaException>().With.Message.Contains("seed was 0, is 4").And.Property("IsUsage").True);
    }

    [Test]
    public void Another_thread_count_is_refused_unless_asked_for()
    {
        _store.Save(At(1));

        Assert.That(() => _store.Resume(RecipeIdentity.Of(Recipe), 3), Throws.TypeOf<LortaException>().With.Message.Contains("with 2 threads, now there are 3"));
        Assert.That(_store.Resume(RecipeIdentity.Of(Recipe), threads: null)!.Step, Is.EqualTo(1));
    }

    [Test]
    public void The_same_run_resumes_wherever_it_lies()
    {
        _store.Save(At(1));

        Assert.That(_store.Resume(RecipeIdentity.Of(Recipe with { Model = "/elsewhere/m.onnx", Device = "cuda" }), 2)!.Step, Is.EqualTo(1));
    }

    private static Checkpoint At(long step) => new()
    {
        Step = step,
        Position = new(1, 7),
        State = new Dictionary<string, OnnxTensor> { ["A"] = OnnxTensor.Of<float>([3], [1.5f, -2, step]), ["moment.A"] = OnnxTensor.Of<float>([1], [3]) },
        Seed = 9,
        Recipe = RecipeIdentity.Of(Recipe),
        Threads = 2,
    };

    // Spaces after the header's JSON carry nothing; a flip there makes the JSON invalid or stays without effect.
    private static bool IsHeaderPadding(byte[] bytes, int i) => i >= 8 && bytes[i] == ' ' && i < 8 + BitConverter.ToInt64(bytes, 0);

    // The old file may still be mapped: it is replaced, not overwritten.
    private static void Rewrite(string path, byte[] bytes)
    {
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
    }

    private IEnumerable<string> Names() => Directory.EnumerateFiles(_folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);
}
