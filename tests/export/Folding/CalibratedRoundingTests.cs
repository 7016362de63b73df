using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

internal sealed class CalibratedRoundingTests
{
    private const int Inputs = 200;   // a whole block of features and a part of one
    private const int Outputs = 11;   // no multiple of the columns that are rounded at once

    [TestCase(4, 32, Layout.OutIn)]
    [TestCase(4, 16, Layout.OutIn)]
    [TestCase(8, 32, Layout.OutIn)]
    [TestCase(4, 256, Layout.OutIn)]
    [TestCase(8, 0, Layout.InOut)]
    public void No_column_becomes_worse_and_all_together_become_better(int bits, int block, Layout layout)
    {
        var (matrix, wanted, x) = (Matrix(bits, block, layout), Wanted(bits, block, layout), Activations());
        var moments = new SecondMoments(Inputs);
        moments.Add(x, null);

        var nearest = Requantized(matrix, wanted);
        var calibrated = Requantized(matrix, wanted);
        new CalibratedRounding(matrix, layout, moments).Improve(wanted, calibrated);

        var (before, after) = (Errors(matrix, nearest, wanted, layout, moments), Errors(matrix, calibrated, wanted, layout, moments));
        foreach (var (was, now) in before.Zip(after)) Assert.That(now, Is.LessThanOrEqualTo(was * 1.0001));
        Assert.That(after.Sum(), Is.LessThan(0.9 * before.Sum()));
    }

    [Test]
    public void Columns_that_did_not_change_keep_their_codes()
    {
        var (matrix, moments) = (Matrix(4, 32, Layout.OutIn), new SecondMoments(Inputs));
        moments.Add(Activations(), null);
        var wanted = matrix.Read();
        wanted[5] += 0.03f;

        var calibrated = Requantized(matrix, wanted);
        new CalibratedRounding(matrix, Layout.OutIn, moments).Improve(wanted, calibrated);

        Assert.That(matrix.Read(calibrated).AsSpan(Inputs).SequenceEqual(matrix.Read().AsSpan(Inputs)), Is.True);
    }

    [Test]
    public void Equal_inputs_give_equal_bytes()
    {
        var (matrix, wanted) = (Matrix(4, 32, Layout.OutIn), Wanted(4, 32, Layout.OutIn));

        var made = Enumerable.Range(0, 2).Select(_ =>
        {
            var moments = new SecondMoments(Inputs);
            moments.Add(Activations(), null);
            var rounded = Requantized(matrix, wanted);
            new CalibratedRounding(matrix, Layout.OutIn, moments).Improve(wanted, rounded);
            return matrix.Stored(rounded);
        }).ToList();

        Assert.That(made[0].Codes.Span.SequenceEqual(made[1].Codes.Span) && made[0].Scales.Span.SequenceEqual(made[1].Scales.Span), Is.True);
    }

    [Test]
    public void Both_roundings_are_made_of_one_computation_and_kept_until_one_is_decided_on()
    {
        const string Address = "layers.0.q";
        var (matrix, wanted, computed) = (Matrix(4, 32, Layout.OutIn), Wanted(4, 32, Layout.OutIn), 0);
        var site = new WeightView(matrix, Layout.OutIn, [(0, Outputs)]);
        var moments = new Dictionary<string, SecondMoments> { [Address] = new SecondMoments(Inputs) };
        moments[Address].Add(Activations(), null);
        var choice = new RoundingChoice();
        var weight = new QuantizedWeight(matrix, [new WeightEdit(Address, site, Computed)], choice);

        choice.Use(moments);
        var calibrated = weight.Codes.Bytes.ToArray();
        choice.Use(null);
        var nearest = weight.Codes.Bytes.ToArray();
        var computedForBoth = computed;
        choice.Decide(moments);
        var decided = weight.Codes.Bytes.ToArray();
        choice.Use(null);
        var nearestAgain = weight.Codes.Bytes.ToArray();

        Assert.That(nearest, Is.Not.EqualTo(calibrated));
        Assert.That(decided, Is.EqualTo(calibrated));
        Assert.That(nearestAgain, Is.EqualTo(nearest));
        Assert.That((computedForBoth, computed), Is.EqualTo((1, 2)), "what was not decided on is made anew");

        OnnxTensor Computed(OnnxTensor weight)   // whatever it was
        {
            computed++;
            return site.Read(wanted);
        }
    }

    [Test]
    public void Positions_that_do_not_count_are_left_out()
    {
        var (with, without) = (new SecondMoments(2), new SecondMoments(2));
        with.Add(OnnxTensor.Of<float>([1, 3, 2], [1, 2, 3, 5, 100, 200]), OnnxTensor.Of<long>([1, 3], [1, 1, 0]));
        without.Add(OnnxTensor.Of<float>([2, 2], [1, 2, 3, 5]), null);

        Assert.That(Numbers(with.Blocks[0].Moments), Is.EqualTo(Numbers(without.Blocks[0].Moments)));

        static float[] Numbers(PanelMatrix h) => [.. h.Row(0, 0)[..2], .. h.Row(1, 0)[..2]];
    }

    [Test]
    public void A_model_keeps_no_less_of_the_effect_than_by_the_nearest_codes([Values] FewBitsForm form)
    {
        using var folder = new TestFolder();
        var deployed = FewBits.Saved(OnnxModel.Load(Path.Combine(Fixtures.Repository, "tests", "fixtures", "architectures", "qwen2.onnx")), form, folder["model.onnx"]);
        var adapter = RandomAdapter.For(deployed, "lora");
        var folded = RandomAdapter.Evaluator.Fold(deployed, adapter);

        var result = RandomAdapter.Evaluator.Compare(UnderstoodModel.Of(deployed), folded, new VerifyOptions { Adapter = adapter, Length = 12 });

        Assert.That(result.EffectKept, Is.GreaterThanOrEqualTo(result.EffectNearest!.Value));
    }

    [Test]
    public void A_small_adapter_keeps_more_in_the_file_of_ONNX_Runtimes_builder()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/genai-int4"));
        var adapter = RandomAdapter.For(deployed, "lora");
        var small = adapter with { Tensors = adapter.Tensors.ToDictionary(pair => pair.Key, pair => OnnxTensor.Of<float>([.. pair.Value.Dims], [.. pair.Value.ToFloats().Select(x => x / 10)])) };
        var folded = RandomAdapter.Evaluator.Fold(deployed, small);

        var result = RandomAdapter.Evaluator.Compare(UnderstoodModel.Of(deployed), folded, new VerifyOptions { Adapter = small });

        Assert.That(result.EffectKept, Is.GreaterThan(result.EffectNearest!.Value + 0.05));
    }

    // (w′ − w)ᵀ·H·(w′ − w) of each column, over all blocks of features
    private static double[] Errors(QuantizedMatrix matrix, RoundedNumbers rounded, float[] wanted, Layout layout, SecondMoments moments)
    {
        var stored = matrix.Read(rounded);
        double Difference(int input, int output) => stored[At(input, output, layout)] - (double)wanted[At(input, output, layout)];
        return [.. Enumerable.Range(0, Outputs).Select(output => moments.Blocks.Sum(block => Enumerable.Range(0, block.Count).Sum(i => Enumerable.Range(0, block.Count).Sum(j =>
            Difference(block.Start + block.Order[i], output) * At(block.Moments, i, j) * Difference(block.Start + block.Order[j], output)))))];
    }

    private static int At(int input, int output, Layout layout) => layout is Layout.OutIn ? (output * Inputs) + input : (input * Outputs) + output;

    private static float At(PanelMatrix matrix, int row, int column) =>
        matrix.Row(row, column / PanelMatrix.Width * PanelMatrix.Width)[column % PanelMatrix.Width];

    private static RoundedNumbers Requantized(QuantizedMatrix matrix, float[] wanted)
    {
        var rounded = matrix.Unpacked();
        new Requantizer(matrix).Requantize(wanted, rounded);
        return rounded;
    }

    private static float[] Wanted(int bits, int block, Layout layout)
    {
        var random = new SeededRandom(1, "change");
        return [.. Matrix(bits, block, layout).Read().Select(value => value + (float)(random.NextNormal() * 0.02))];
    }

    // Few directions that all features share, and a little noise of their own.
    private static OnnxTensor Activations()
    {
        const int Rows = 300, Directions = 12;
        var (random, mixing) = (new SeededRandom(1, "x"), new float[Directions * Inputs]);
        for (var i = 0; i < mixing.Length; i++) mixing[i] = (float)random.NextNormal();
        var x = new float[Rows * Inputs];
        for (var row = 0; row < Rows; row++)
        {
            var sources = Enumerable.Range(0, Directions).Select(_ => (float)random.NextNormal()).ToArray();
            for (var i = 0; i < Inputs; i++) x[(row * Inputs) + i] = (float)(0.1 * random.NextNormal()) + Enumerable.Range(0, Directions).Sum(d => sources[d] * mixing[(d * Inputs) + i]);
        }
        return OnnxTensor.Of<float>([Rows, Inputs], x);
    }

    // Blocks of 0: a scale for each output feature.
    private static QuantizedMatrix Matrix(int bits, int block, Layout layout)
    {
        var (blocks, random) = (block == 0 ? 1 : (Inputs + block - 1) / block, new SeededRandom(1, "codes"));
        var (rows, columns) = layout is Layout.OutIn ? (Outputs, Inputs) : (Inputs, Outputs);
        var rowBytes = layout is Layout.OutIn ? blocks * block * bits / 8 : columns;
        var codes = new byte[rows * rowBytes];
        for (var i = 0; i < codes.Length; i++) codes[i] = (byte)random.NextIndex(256);
        var scales = Enumerable.Range(0, Outputs * blocks).Select(_ => 0.05f + (0.001f * random.NextIndex(50))).ToArray();
        var blocked = new BlockLayout
        {
            Reader = string.Empty,
            Scales = string.Empty,
            ZeroPoints = null,
            DefaultZero = layout is Layout.OutIn ? 1 << (bits - 1) : 0,
            Bits = bits,
            IsSigned = layout is Layout.InOut,
            Rows = rows,
            Columns = columns,
            BlockRows = layout is Layout.OutIn ? 1 : rows,
            BlockColumns = layout is Layout.OutIn ? block : 1,
            RowBits = rowBytes * 8,
            ZeroRowBits = 0,
        };
        var type = layout is Layout.OutIn ? ElementType.UInt8 : ElementType.Int8;
        return new QuantizedMatrix(blocked, OnnxTensor.FromBytes(type, [rows, rowBytes], codes), OnnxTensor.Of<float>([scales.Length], scales), null);
    }
}
