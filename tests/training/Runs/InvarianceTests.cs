using System.Globalization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>What must not change a result: how rows are batched and padded, their order, accumulation, threads, culture and time zone.</summary>
internal sealed class InvarianceTests
{
    private const string OneByOne = "train.batchSize=1";

    private TinyRun _run = null!;

    // Settings of two evaluations that give the same loss.
    private static IEnumerable<TestCaseData> Evaluations =>
    [
        Case("batch size", [OneByOne], ["train.batchSize=7"]),
        Case("right padding", [OneByOne, "data.bucketing=false"], ["train.batchSize=16", "data.bucketing=false"]),
        Case("bucketing", ["train.batchSize=4", "data.bucketing=false"], ["train.batchSize=4", "data.bucketing=true"]),
        Case("row order", ["train.batchSize=4"], ["train.batchSize=4", "data.validation=reversed.txt"]),
    ];

    // Settings and surroundings of two trainings that give the same adapter.
    private static IEnumerable<TestCaseData> Trainings =>
    [
        Case("accumulation", ["train.batchSize=4", "train.gradientAccumulation=1"], ["train.batchSize=1", "train.gradientAccumulation=4"]),
        Case("threads", [], []),
    ];

    private static IEnumerable<Surroundings> Places => [Surroundings.DecimalComma, Surroundings.FarEast, Surroundings.LeapDay];

    [SetUp]
    public void CreateRun()
    {
        _run = new();
        var entries = File.ReadAllText(_run["log.txt"]).Split("\n\n");
        File.WriteAllText(_run["rows.txt"], string.Join("\n\n", entries.Take(15)));
        File.WriteAllText(_run["reversed.txt"], string.Join("\n\n", entries.Take(15).Reverse()));
    }

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [TestCaseSource(nameof(Evaluations))]
    public void Loss_of_an_evaluation_does_not_depend_on(string[] one, string[] other)
    {
        var expected = Loss(one);

        Assert.That(Loss(other), Is.EqualTo(expected).Within(1e-6 * expected));
    }

    [TestCaseSource(nameof(Trainings))]
    public void Adapter_of_a_training_does_not_depend_on(string[] one, string[] other)
    {
        var isThreads = one.Length == 0;
        string[] common = ["data.packing=false", "data.bucketing=false", "adapter.dropout=0", "train.steps=3"];

        TinyRun.Train(_run.Request("one", [.. common, .. one]), Progress.None);
        TinyRun.Train(_run.Request("other", [.. common, .. other]) with { Settings = new() { Threads = isThreads ? 2 : 1 } }, Progress.None);

        foreach (var (name, tensor) in Adapter.Load(_run["one", "adapter"]).Tensors)
        {
            var (expected, found) = (tensor.ToFloats(), Adapter.Load(_run["other", "adapter"]).Tensors[name].ToFloats());
            Assert.That(found, Is.EqualTo(expected).Within(2e-3 * expected.Max(Math.Abs)), name);
        }
    }

    [TestCaseSource(nameof(Places))]
    public void Bytes_of_an_adapter_do_not_depend_on_where_and_when_it_is_trained(Surroundings surroundings)
    {
        _run.Train("one", "train.steps=2");

        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = surroundings.Culture;
        try
        {
            var request = _run.Request("other", "train.steps=2");
            TinyRun.Train(request with { Settings = request.Settings with { Clock = surroundings.Clock } }, Progress.None);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.That(_run.Adapter("other"), Is.EqualTo(_run.Adapter("one")));
        Assert.That(File.ReadAllText(_run["other", "adapter", "adapter_config.json"]), Is.EqualTo(File.ReadAllText(_run["one", "adapter", "adapter_config.json"])));
    }

    private double Loss(string[] settings)
    {
        var request = _run.Request("none", ["data.packing=false", "data.validationFraction=null", $"data.validation={_run["rows.txt"]}", .. settings.Select(setting => setting.Replace("reversed.txt", _run["reversed.txt"], StringComparison.Ordinal))]);
        return request.Evaluate().Loss;
    }

    private static TestCaseData Case(string name, string[] one, string[] other) => new TestCaseData(one, other).SetArgDisplayNames(name);

    /// <summary>A culture and a clock.</summary>
    internal sealed record Surroundings(string Name, CultureInfo Culture, TimeProvider Clock)
    {
        public static Surroundings DecimalComma { get; } = new("decimal comma", WithComma(), TimeProvider.System);

        public static Surroundings FarEast { get; } = new("fourteen hours ahead", CultureInfo.InvariantCulture, new Clock(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), TimeSpan.FromHours(14)));

        public static Surroundings LeapDay { get; } = new("leap day, behind UTC", WithComma(), new Clock(new(2028, 2, 29, 23, 59, 59, TimeSpan.Zero), TimeSpan.FromHours(-11)));

        public override string ToString() => Name;

        private static CultureInfo WithComma()
        {
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NegativeSign) = (",", ".", "−");
            return culture;
        }
    }

    private sealed class Clock(DateTimeOffset now, TimeSpan offset) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("test", offset, "test", "test");

        public override DateTimeOffset GetUtcNow() => now;
    }
}
