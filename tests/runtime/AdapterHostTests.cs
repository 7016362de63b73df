using System.Collections.Concurrent;
using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class AdapterHostTests
{
    private static readonly OnnxModel Llama = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "llama-mini"));
    private static readonly OnnxModel Roberta = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "roberta-mini"));
    private static readonly OrtEngine Engine = new(new() { Threads = 1, Catalog = LortaCatalog.Default.With(Gain.Entry) });
    private static readonly AdapterOptions Shape = new() { Method = "lorta", Rank = 4, Targets = ["q", "v"] };

    private static readonly Dictionary<string, OnnxTensor> Inputs = new(StringComparer.Ordinal)
    {
        ["input_ids"] = OnnxTensor.Of<long>([2, 5], [5, 90, 33, 7, 12, 40, 41, 42, 43, 44]),
        ["attention_mask"] = OnnxTensor.Of<long>([2, 5], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
    };

    private static IEnumerable<string> Methods =>
        Engine.Catalog.Families.Where(family => !family.Targets.AreParameters).Select(family => family.Method);

    [TestCaseSource(nameof(Methods))]
    public void Each_adapter_computes_what_it_computes_alone_and_none_what_the_file_computes(string method)
    {
        var shape = new AdapterOptions { Method = method, Rank = 4 };
        var (first, second) = (Random(Llama, shape, seed: 1), Random(Llama, shape, seed: 2));
        using var host = new AdapterHost(Engine, Llama, shape);
        host.Add("first", first);
        host.Add("second", second);

        Assert.That(Difference(host.Run("first", Inputs), Alone(Llama, first)), Is.LessThan(1e-5));
        Assert.That(Difference(host.Run("second", Inputs), Alone(Llama, second)), Is.LessThan(1e-5));
        Assert.That(Difference(host.Run(null, Inputs), Alone(Llama, null)), Is.LessThan(1e-6));
        Assert.That(Difference(host.Run("first", Inputs), host.Run(null, Inputs)), Is.GreaterThan(1e-3));
        Assert.That(Difference(host.Run("first", Inputs), host.Run("second", Inputs)), Is.GreaterThan(1e-3));
    }

    [Test]
    public void An_encoder_is_served_too()
    {
        var adapter = Random(Roberta, Shape, seed: 1);
        using var host = new AdapterHost(Engine, Roberta, Shape);
        host.Add("a", adapter);

        Assert.That(Difference(host.Run("a", Inputs), Alone(Roberta, adapter)), Is.LessThan(1e-5));
        Assert.That(Difference(host.Run(null, Inputs), Alone(Roberta, null)), Is.LessThan(1e-6));
    }

    [Test]
    public void A_cache_that_nobody_gives_is_empty()
    {
        using var host = new AdapterHost(Engine, OnnxModel.Load(Exports.Path("llama-mini/optimum-past")), Shape);

        var (cached, plain) = (host.Run(null, Inputs)["logits"], Alone(Llama, null)["logits"]);

        Assert.That(Difference(cached, plain), Is.LessThan(1e-5));
    }

    [Test]
    public void A_stored_adapter_says_its_shape_and_dropout_and_alpha_are_no_part_of_it()
    {
        using var folder = new TestFolder();
        Random(Llama, Shape with { Alpha = 3, Dropout = 0.1 }, seed: 1).Save(folder.Path);
        var adapter = Adapter.Load(folder.Path);
        using var host = new AdapterHost(Engine, Llama, adapter.Config.AdapterOptions with { Alpha = 16 });

        host.Add("a", adapter);

        Assert.That(Difference(host.Run("a", Inputs), Alone(Llama, adapter)), Is.LessThan(1e-5));
    }

    [Test]
    public void Adapters_come_and_go()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);
        host.Add("b", Random(Llama, Shape, seed: 1));
        host.Add("a", Random(Llama, Shape, seed: 2));

        Assert.That(host.Names, Is.EqualTo(new[] { "a", "b" }));
        Assert.That((host.Remove("b"), host.Remove("b")), Is.EqualTo((true, false)));
        Assert.That(host.Names, Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void What_runs_with_an_adapter_ends_as_it_began()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);
        host.Add("a", Random(Llama, Shape, seed: 1));
        var expected = host.Run("a", Inputs);
        using var lease = host.Lease("a");

        host.Remove("a");
        host.Dispose();

        using var run = lease.Model.Begin();
        lease.Adapter!.Bind(run);
        foreach (var (name, tensor) in TextFeeds.Completed(Inputs))
            if (lease.Model.Session.InputMetadata.ContainsKey(name)) run.Bind(name, tensor);
        Assert.That(Difference(run.Evaluate(), expected), Is.Zero);
    }

    [Test]
    public void Many_threads_run_while_adapters_are_exchanged()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);
        var adapters = Enumerable.Range(0, 4).Select(seed => Random(Llama, Shape, seed)).ToList();
        foreach (var (index, adapter) in adapters.Index()) host.Add($"{index}", adapter);
        var expected = adapters.Select((_, index) => host.Run($"{index}", Inputs)).ToList();
        using var end = new CancellationTokenSource();
        var exchange = Task.Run(() =>
        {
            for (var turn = 0; !end.IsCancellationRequested; turn++)
            {
                host.Add($"other {turn}", adapters[turn % adapters.Count]);
                host.Remove($"other {turn}");
            }
        });

        var differences = new double[40];
        Parallel.For(0, differences.Length, run => differences[run] = Difference(host.Run($"{run % 4}", Inputs), expected[run % 4]));
        end.Cancel();
        exchange.Wait();

        Assert.That(differences, Is.All.Zero);
    }

    [Test]
    public void An_adapter_that_is_exchanged_while_it_runs_is_the_old_one_or_the_new_one()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);
        var adapters = Enumerable.Range(0, 2).Select(seed => Random(Llama, Shape, seed)).ToList();
        foreach (var (index, adapter) in adapters.Index()) host.Add($"{index}", adapter);
        var expected = adapters.Select((_, index) => host.Run($"{index}", Inputs)).ToList();
        using var end = new CancellationTokenSource();
        var exchange = Task.Run(() =>
        {
            for (var turn = 0; !end.IsCancellationRequested; turn++)
            {
                host.Add("exchanged", adapters[turn % 2]);
                Thread.Sleep(2);
                host.Remove("exchanged");
            }
        });

        var differences = new ConcurrentBag<double>();
        Parallel.For(0, 40, _ =>
        {
            var logits = RunExchanged();
            differences.Add(expected.Min(one => Difference(logits, one)));
        });
        end.Cancel();
        exchange.Wait();

        Assert.That(differences, Has.Count.EqualTo(40).And.All.Zero);

        IReadOnlyDictionary<string, OnnxTensor> RunExchanged()
        {
            for (; ; )
            {
                try
                {
                    return host.Run("exchanged", Inputs);
                }
                catch (LortaException e) when (e.Code == "LRT618")   // between the old one and the new one
                {
                    Thread.Yield();
                }
            }
        }
    }

    [Test]
    public void A_run_that_is_called_off_throws()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        Assert.Throws<OperationCanceledException>(() => host.Run(null, Inputs, new CancellationToken(canceled: true)));
    }

    [Test]
    public void An_unknown_adapter_is_refused_with_the_names_there_are()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);
        host.Add("alice", Random(Llama, Shape, seed: 1));

        var failure = Assert.Throws<LortaException>(() => host.Run("alise", Inputs))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT618", "there is no adapter 'alise'.")));
        Assert.That(failure.Hint, Is.EqualTo("Did you mean 'alice'? There is alice."));
    }

    [Test]
    public void A_name_is_given_once()
    {
        var adapter = Random(Llama, Shape, seed: 1);
        using var host = new AdapterHost(Engine, Llama, Shape);
        host.Add("alice", adapter);

        Assert.That(Assert.Throws<LortaException>(() => host.Add("alice", adapter))!.Code, Is.EqualTo("LRT617"));
    }

    private static IEnumerable<TestCaseData> OtherShapes =>
    [
        new(Shape with { Method = "lora" }, "method lora, not method lorta"),
        new(Shape with { Targets = ["q", "k"] }, "targets q, k, not targets q, v"),
        new(Shape with { Layers = LayerChoice.Of([0]) }, "layers 0, not layers 0, 1, 2, 3"),
        new(Shape with { Rank = 2 }, "rank 2, not rank 4"),
        new(Shape with { Sites = [new() { Match = "layers.0.q", Alpha = 32 }] }, "layers.0.q of rank 4 and 2 times the scale"),
        new(Shape with { Options = new Dictionary<string, string> { ["rslora"] = "true" } }, "option rslora: true, not option rslora: false"),
    ];

    [TestCaseSource(nameof(OtherShapes))]
    public void An_adapter_of_another_shape_is_refused(AdapterOptions shape, string difference)
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(() => host.Add("alice", Random(Llama, shape, seed: 1)))!;

        Assert.That(failure.Code, Is.EqualTo("LRT616"));
        Assert.That(failure.Message, Does.StartWith("adapter 'alice': ").And.Contain(difference));
        Assert.That(host.Names, Is.Empty);
    }

    [Test]
    public void An_adapter_of_another_model_is_refused()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(() => host.Add("alice", Random(Roberta, Shape, seed: 1)))!;

        Assert.That(failure.Code, Is.EqualTo("LRT310"));
    }

    [Test]
    public void An_adapter_with_parameters_of_the_model_is_refused()
    {
        var adapter = Random(Llama, Shape, seed: 1);
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(
            () => host.Add("alice", adapter with { Config = adapter.Config with { Trainables = ["model.norm.weight"] } }))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT322", failure.Message)));
        Assert.That(failure.Message, Does.Contain("model.norm.weight"));
    }

    [Test]
    public void A_method_that_changes_the_models_own_parameters_is_no_shape() =>
        Assert.That(Assert.Throws<LortaException>(() => new AdapterHost(Engine, Roberta, new() { Method = "bitfit" }))!.Code, Is.EqualTo("LRT322"));

    [Test]
    public void A_missing_input_is_named()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(() => host.Run(null, new Dictionary<string, OnnxTensor>()))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT614", failure.Message)));
        Assert.That(failure.Message, Does.Contain("'input_ids'"));
    }

    [Test]
    public void A_closed_host_does_nothing_more()
    {
        var host = new AdapterHost(Engine, Llama, Shape);
        host.Dispose();
        host.Dispose();

        Assert.Throws<ObjectDisposedException>(() => host.Run(null, Inputs));
        Assert.Throws<ObjectDisposedException>(() => host.Add("a", Random(Llama, Shape, seed: 1)));
        Assert.Throws<ObjectDisposedException>(() => host.Remove("a"));
    }

    // None of its factors is zero.
    private static Adapter Random(OnnxModel model, AdapterOptions shape, int seed)
    {
        var plan = AdapterPlan.Of(UnderstoodModel.Of(model), shape with { Dropout = 0 }, Engine.Catalog);
        var values = plan.Factors.ToDictionary(
            factor => factor.Name, factor => RandomTensor.Normal(factor.Name, factor.Dims, 0.3, seed), StringComparer.Ordinal);
        return DeployedInjection.WithInputs(model, shape with { Dropout = 0 }, values, seed, Engine.Catalog).Adapter;
    }

    private static IReadOnlyDictionary<string, OnnxTensor> Alone(OnnxModel model, Adapter? adapter)
    {
        var alone = adapter is null ? model : AdaptedModels.WithSideBranches(model, adapter, allowOtherBase: false, Engine.Catalog);
        using var compiled = Engine.Compile(alone);
        return compiled.Run(TextFeeds.Completed(Inputs));
    }

    // The largest over all outputs.
    private static double Difference(IReadOnlyDictionary<string, OnnxTensor> actual, IReadOnlyDictionary<string, OnnxTensor> expected)
    {
        Assert.That(actual.Keys, Is.EquivalentTo(expected.Keys));
        return expected.Max(output => Difference(actual[output.Key], output.Value));
    }

    // Relative to the largest number.
    private static double Difference(OnnxTensor actual, OnnxTensor expected)
    {
        var (a, b) = (actual.ToFloats(), expected.ToFloats());
        var differences = new float[b.Length];
        TensorPrimitives.Subtract(a, b, differences);
        return Math.Abs(TensorPrimitives.MaxMagnitude<float>(differences)) / Math.Abs(TensorPrimitives.MaxMagnitude<float>(b));
    }
}
