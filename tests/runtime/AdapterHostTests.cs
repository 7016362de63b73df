using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.Runtime.Tests.ServedAdapters;

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class AdapterHostTests
{
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
    public void A_run_that_is_called_off_throws()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        Assert.Throws<OperationCanceledException>(() => host.Run(null, Inputs, new CancellationToken(canceled: true)));
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
}
