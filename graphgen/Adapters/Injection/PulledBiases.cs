using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>Biases that a fused operator of the deployed graph adds to what a product made: they become a sum in front of it.</summary>
/// <remarks>BiasGelu and FastGelu have the bias as input 1, MultiHeadAttention those of queries, keys and values together as input 3,
/// SkipLayerNormalization as input 4, SkipSimplifiedLayerNormalization as input 3. (Attention comes apart into a product and a sum in any
/// case, and a bias of Gemm or MatMulNBits is part of y.)</remarks>
internal sealed class PulledBiases(OnnxModel model, Tape tape)
{
    private readonly Dictionary<Node, Value?[]> _sums = [];   // by operator: the sum that takes the place of each input
    private readonly Dictionary<string, Value> _byAddress = new(StringComparer.Ordinal);

    /// <summary>Takes the biases of some layers out of the operators that hold them.</summary>
    /// <exception cref="LortaException">LRT316: what lies between the product and its bias is not known.</exception>
    public void Out(IReadOnlyList<Projection> linears)
    {
        foreach (var linear in linears)
        {
            if (linear.Stored.BiasOutput is not { } output || model.Graph.Find(output)?.Producer is not { } holder) continue;
            if (InputOf(holder) is not { } bias) continue;
            var product = model.Graph.Find(linear.Stored.Output)!;
            var sums = _sums.TryGetValue(holder, out var known) ? known : null;
            var place = sums is null ? holder.Inputs.ToList().IndexOf(product) : Array.FindIndex(sums, sum => IsSumOf(sum, product));
            if (place < 0)
                throw AdapterErrors.NoBranch(
                    linear.Address, holder, "its bias is inside of this operator, which does not read the product itself");
            _byAddress[linear.Address] = (sums ?? (_sums[holder] = Pull(holder, bias, place)))[place]!;
        }
    }

    /// <summary>y of a layer whose bias was taken out; null for others.</summary>
    public Value? SumOf(Projection linear) => _byAddress.GetValueOrDefault(linear.Address);

    private static bool IsSumOf(Value? sum, Value product) => sum?.Producer?.Input(0) == product;

    private static int? InputOf(Node holder) => holder.Op switch
    {
        OrtOps.BiasGelu or OrtOps.FastGelu => 1,
        OrtOps.MultiHeadAttention or OrtOps.SkipSimplifiedLayerNormalization => 3,
        OrtOps.SkipLayerNormalization => 4,
        _ => null,
    };

    // The sums by the operator's inputs, of which MultiHeadAttention has three.
    private Value?[] Pull(Node holder, int input, int place)
    {
        using var scope = tape.Scope(holder.Label);
        var (bias, sums) = (tape[holder.Input(input)!], new Value?[3]);
        if (holder.Op == OrtOps.MultiHeadAttention)
        {
            var start = 0L;
            for (var i = 0; i < 3; i++)
            {
                var x = tape[holder.Input(i)!];
                if (x.Rank != 3) continue;   // keys and values whose heads are apart have no bias
                var end = start + (x.Shape[-1].Value ?? throw ModelErrors.UnknownSize(x.Value, "width"));
                sums[i] = (x + bias.Slice(0, start, end)).Value;
                start = end;
            }
        }
        else
        {
            sums[place] = (tape[holder.Input(place)!] + bias).Value;
        }
        for (var i = 0; i < sums.Length; i++) if (sums[i] is { } sum) holder.SetInput(i, sum);
        holder.SetInput(input, null);
        if (holder.Op == OrtOps.BiasGelu) BecomeGelu(holder, sums[0]!);
        return sums;
    }

    // BiasGelu cannot do without a bias.
    private void BecomeGelu(Node holder, Value sum)
    {
        var name = holder.Output.Name;
        var gelu = tape.Write(OrtOps.Gelu, [tape[sum]], 1).Output;
        model.Graph.ReplaceUses(holder.Output, gelu);
        model.Graph.Remove(holder);
        if (model.Graph.Find(name) is null) model.Graph.Rename(gelu, name);
    }
}
