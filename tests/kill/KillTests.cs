using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Kill.Tests;

/// <summary>Whenever the tool is killed, the old output is there or the new one, each whole, and the next run ends in the bytes of one that was never interrupted and leaves nothing else.</summary>
/// <remarks><c>LORTA_KILLS=N</c> asks for every step and N random moments of each command instead of a few, <c>LORTA_KILL_SEED</c> for other moments.</remarks>
[Category("FixturesNotNeeded")]
internal sealed class KillTests
{
    private const int FewMoments = 1;
    private const int FewSteps = 5;
    private static readonly int? Moments = Environment.GetEnvironmentVariable("LORTA_KILLS") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
    private static readonly long Seed = long.Parse(Environment.GetEnvironmentVariable("LORTA_KILL_SEED") ?? "0", CultureInfo.InvariantCulture);

    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCaseSource(typeof(KillScenario), nameof(KillScenario.All))]
    public void A_killed_command_leaves_the_old_output_or_the_new_one_and_the_next_run_ends_the_same(KillScenario scenario)
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("The steps are those of Unix.");
        scenario.Fill(_folder["template"]);
        Snapshot.Copy(_folder["template"], _folder["work"]);
        var (steps, time) = KillableTool.Count(_folder["work"], KillScenario.Arguments(_folder["work"], scenario.Command));
        var (old, whole) = (Snapshot.Of(_folder["template", "o"]), Snapshot.Of(_folder["work", "o"]));
        var random = new SeededRandom(Seed, scenario.Name);

        foreach (var step in Steps(steps, random)) Try($"before step {step} of {steps}", args => KillableTool.KillBefore(step, args));
        for (var moment = 0; moment < (Moments ?? FewMoments); moment++)
        {
            var after = time * random.NextUniform();
            Try($"after {after.TotalMilliseconds:0} ms", args => KillableTool.KillAfter(after, args));
        }

        void Try(string when, Action<string[]> kill)
        {
            TestContext.Progress.WriteLine($"{scenario.Name}: killed {when}");
            Directory.Delete(_folder["work"], recursive: true);
            Snapshot.Copy(_folder["template"], _folder["work"]);
            kill(KillScenario.Arguments(_folder["work"], scenario.Command));
            CheckOutputs(when, old, whole);
            Assert.That(KillScenario.Run(_folder["work"], scenario.Again), Is.Zero, $"run again after being killed {when}");
            Assert.That(Snapshot.Of(_folder["work", "o"]), Is.EqualTo(whole), $"after being killed {when}");
            Assert.That(Snapshot.Of(_folder["work", "in"]), Is.EqualTo(Snapshot.Of(_folder["template", "in"])), $"inputs after being killed {when}");
        }
    }

    // All of them, or the last ones, in which outputs take their places, and some of those before.
    private static IEnumerable<int> Steps(int count, SeededRandom random) => Moments is not null || count <= FewSteps
        ? Enumerable.Range(1, count)
        : Enumerable.Range(count - FewSteps + 1, FewSteps).Prepend(1 + random.NextIndex(count - FewSteps));

    // A model is the old one or the new one, with its data; an adapter is whole, and no model lies beside that of another.
    private void CheckOutputs(string when, IReadOnlyDictionary<string, string> old, IReadOnlyDictionary<string, string> whole)
    {
        var now = Snapshot.Of(_folder["work", "o"]);
        foreach (var name in new[] { "m.onnx", "m/model.onnx" })
        {
            if (!now.TryGetValue(name, out var hash))
            {
                if (!now.ContainsKey("m.adapter")) Assert.That(old, Does.Not.ContainKey(name), $"{name} after being killed {when}");
                continue;
            }
            Assert.That(hash, Is.EqualTo(old.GetValueOrDefault(name)).Or.EqualTo(whole.GetValueOrDefault(name)), $"{name} after being killed {when}");
            Assert.That(() => OnnxModel.Load(_folder["work", "o", name]), Throws.Nothing, $"{name} after being killed {when}");
        }
        foreach (var folder in new[] { "m", "m.adapter" }.Where(now.ContainsKey))
        {
            var contents = Contents(now, folder);
            Assert.That(
                contents, Is.EqualTo(Contents(old, folder)).Or.EqualTo(Contents(whole, folder)), $"{folder} after being killed {when}");
            if (folder != "m.adapter" || !now.TryGetValue("m.onnx", out var model)) continue;
            Assert.That(
                contents, Is.EqualTo(Contents(model == old["m.onnx"] ? old : whole, folder)), $"the pair after being killed {when}");
        }
        foreach (var adapter in new[] { "run/adapter", "m.adapter" }.Where(now.ContainsKey))
            Assert.That(() => Adapter.Load(_folder["work", "o", adapter]), Throws.Nothing, $"{adapter} after being killed {when}");
    }

    private static Dictionary<string, string> Contents(IReadOnlyDictionary<string, string> files, string folder) =>
        files.Where(file => file.Key.StartsWith($"{folder}/", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
}
