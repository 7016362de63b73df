using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Verifying;

internal sealed class SampleInputsTests
{
    [Test]
    public void Inputs_with_other_names_are_known_by_their_use()
    {
        var model = Renamed();

        var inputs = new SampleInputs(model, samples: 4, length: 8, seed: 0).Make();

        var vocabulary = inputs["input_1"].ToLongs().Max();
        Assert.That((vocabulary > 1, inputs["input_2"].ToLongs().Distinct().Order().ToArray()), Is.EqualTo((true, (long[])[0, 1])));
        Assert.That(new TextInputs(model).MaskInput?.Name, Is.EqualTo("input_2"));
    }

    [Test]
    public void Padded_positions_do_not_count_whatever_the_mask_is_called()
    {
        var verifier = RandomAdapter.Evaluator;

        var padded = verifier.Compare(Renamed(), WithNoise(Renamed(), "input_2", where: 0), new VerifyOptions { Length = 8 });
        var seen = verifier.Compare(Renamed(), WithNoise(Renamed(), "input_2", where: 1), new VerifyOptions { Length = 8 });

        Assert.That((padded.Ok, seen.Ok), Is.EqualTo((true, false)));
    }

    [Test]
    public void Rows_are_cut_and_padded_to_a_fixed_size_whatever_the_inputs_are_called()
    {
        var (dynamic, fixedSize) = (Renamed(), FixedModels.WithSizes(Renamed(), rows: 3, length: 20));
        var batch = new SampleInputs(dynamic, samples: 4, length: 12, seed: 0).Make();

        var result = RandomAdapter.Evaluator.Compare(dynamic, fixedSize, new VerifyOptions { Batches = [batch] });

        Assert.That(result.MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    [Test]
    public void Features_of_known_width_are_drawn()
    {
        var graph = new Graph("vision");
        var tape = new Tape(graph, onnxOnly: true);
        var x = tape[graph.AddInput("pixel_values", ElementType.Float, [Dim.Symbol("batch"), 3, 4, 4])];
        graph.AddOutput((x * 2).Value);

        var inputs = new SampleInputs(OnnxModel.ForRuntime(graph), samples: 2, length: 8, seed: 0).Make();

        Assert.That(inputs["pixel_values"].Dims, Is.EqualTo(new long[] { 2, 3, 4, 4 }));
        Assert.That(inputs["pixel_values"].ToFloats().Distinct().Count(), Is.GreaterThan(90));
    }

    [Test]
    public void Sizes_that_the_model_fixes_go_before()
    {
        var graph = new Graph("fixed");
        var tape = new Tape(graph, onnxOnly: true);
        graph.AddOutput(tape[graph.AddInput("input_ids", ElementType.Int64, [1, 6])].Apply("Identity").Value);

        var inputs = new SampleInputs(OnnxModel.ForRuntime(graph), samples: 4, length: 32, seed: 0).Make();

        Assert.That(inputs["input_ids"].Dims, Is.EqualTo(new long[] { 1, 6 }));
    }

    [Test]
    public void Input_of_which_nothing_is_known_is_named()
    {
        var graph = new Graph("unknown");
        var tape = new Tape(graph, onnxOnly: true);
        graph.AddOutput(tape[graph.AddInput("audio", ElementType.Float, [Dim.Symbol("batch"), Dim.Symbol("time")])].Apply("Identity").Value);

        var failure = Assert.Throws<LortaException>(() => new SampleInputs(OnnxModel.ForRuntime(graph), samples: 4, length: 32, seed: 0).Make())!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT704", ": the input 'audio' is not recognised.")));
    }

    private static string Bert => Path.Combine(Fixtures.Repository, "tests", "fixtures", "architectures", "bert.onnx");

    // Another output wherever the mask has a value.
    private static OnnxModel WithNoise(OnnxModel model, string mask, long where)
    {
        var tape = new Tape(model.Graph, onnxOnly: true);
        var output = model.Graph.Outputs[0];
        var noise = tape[model.Graph.Find(mask)!].Apply("Equal", tape.Scalar(where, ElementType.Int64)).Cast(ElementType.Float).Unsqueeze(-1);
        model.Graph.Splice(output, output.Uses.ToHashSet(), (tape[output] + noise).Value);
        model.Graph.Sort();
        return model;
    }

    private static OnnxModel Renamed()
    {
        var model = OnnxModel.Load(Bert);
        model.Graph.Rename(model.Graph.Find("input_ids")!, "input_1");
        model.Graph.Rename(model.Graph.Find("attention_mask")!, "input_2");
        return model;
    }
}
