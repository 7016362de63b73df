using System.Collections.Concurrent;
using LoRTA.Onnx.GraphGen;
using static LoRTA.Onnx.Runtime.Tests.ServedAdapters;

namespace LoRTA.Onnx.Runtime.Tests;

/// <summary>A host whose adapters change while it runs.</summary>
internal sealed class AdapterExchangeTests
{
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
}
