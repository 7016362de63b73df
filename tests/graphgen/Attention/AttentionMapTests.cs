using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Attention;

/// <summary>Spellings of attention that the fixtures do not have, one small graph each.</summary>
public sealed class AttentionMapTests
{
    [Test]
    public void Packed_gemm_behind_flattened_rows_is_split_by_columns()   // GPT-2
    {
        var toy = new Toy();
        var packed = Gemm(toy, toy.X, "c_attn", 24);
        var parts = toy.Split(packed, 2, 8, 8, 8);
        var merged = Toy.Attend(Toy.Heads(parts[0], 2), Toy.Heads(parts[1], 2), Toy.Heads(parts[2], 2));

        var map = Read(toy.With(toy.X + Gemm(toy, merged, "c_proj", 8)));

        Assert.That((map.Hidden, map.Heads, map.KvHeads, map.HeadWidth), Is.EqualTo((8, 2, 2, 4)));
        var layer = map.Layers.Single();
        Assert.That(layer.K!.Stored.Columns, Is.EqualTo(new[] { (8L, 16L) }));
        Assert.That(layer.V!.Stored.BiasColumns, Is.EqualTo(new[] { (16L, 24L) }));
        Assert.That(layer.P!.Stored.Weight, Is.EqualTo("c_proj.weight"));
        Assert.That(layer.Q!.IsPacked, Is.True);   // the parts have other rows
    }

    [Test]
    public void Interleaved_heads_are_taken_apart_by_ranges()   // BLOOM
    {
        var toy = new Toy();
        var packed = toy.Linear(toy.X, "query_key_value", 24).Reshape(0, 0, 2, 3, 4);
        var parts = Enumerable.Range(0, 3).Select(i => toy.Op("Gather", [packed, toy.Tape.Constant(OnnxTensor.Scalar<long>(i))], ("axis", 3)).MoveAxes(0, 2, 1, 3)).ToArray();

        var map = Read(toy.With(toy.Linear(Toy.Attend(parts[0], parts[1], parts[2]), "dense", 8)));

        var layer = map.Layers.Single();
        Assert.That(layer.Q!.Stored.Columns, Is.EqualTo(new[] { (0L, 4L), (12L, 16L) }));
        Assert.That(layer.V!.Stored.Columns, Is.EqualTo(new[] { (8L, 12L), (20L, 24L) }));
        Assert.That((layer.K!.Out, layer.K.Heads, layer.K.IsPacked), Is.EqualTo((8, 2, true)));
        Assert.That(layer.P!.Heads, Is.EqualTo(2));
    }

    [Test]
    public void Heads_that_hold_query_key_and_value_and_turn_in_part_are_understood()   // GPT-NeoX
    {
        var toy = new Toy();
        var heads = toy.Linear(toy.X, "query_key_value", 24).Reshape(0, 0, 2, 12).MoveAxes(0, 2, 1, 3);
        var (q, k, v) = (Turned(toy, heads.Slice(3, 0, 4)), Turned(toy, heads.Slice(3, 4, 8)), heads.Slice(3, 8, 12));

        var map = Read(toy.With(toy.Linear(Toy.Attend(q, k, v), "dense", 8)));

        Assert.That(map.Layers.Single().K!.Stored.Columns, Is.EqualTo(new[] { (4L, 8L), (16L, 20L) }));
    }

    [Test]
    public void One_key_head_packed_behind_the_query_heads_is_understood()   // Falcon
    {
        var toy = new Toy();
        var heads = toy.Linear(toy.X, "query_key_value", 16, bias: false).Reshape(0, 0, 4, 4).MoveAxes(0, 2, 1, 3);

        var map = Read(toy.With(toy.Linear(Toy.Attend(heads.Slice(1, 0, 2), heads.Slice(1, 2, 3), heads.Slice(1, 3, 4)), "dense", 8)));

        Assert.That((map.Heads, map.KvHeads, map.HeadWidth), Is.EqualTo((2, 1, 4)));
        Assert.That(map.Layers.Single().V!.Stored.Columns, Is.EqualTo(new[] { (12L, 16L) }));
    }

    [Test]
    public void Query_key_and_value_stacked_on_an_axis_of_their_own_are_understood()   // vision transformers
    {
        var toy = new Toy();
        var stacked = toy.Linear(toy.X, "qkv", 24).Reshape(0, 0, 3, 2, 4).MoveAxes(2, 0, 3, 1, 4);
        var parts = Enumerable.Range(0, 3).Select(i => toy.Op("Gather", [stacked, toy.Tape.Constant(OnnxTensor.Scalar<long>(i))], ("axis", 0))).ToArray();

        var map = Read(toy.With(toy.Linear(Toy.Attend(parts[0], parts[1], parts[2]), "proj", 8)));

        Assert.That(map.Layers.Single().K!.Stored.Columns, Is.EqualTo(new[] { (8L, 16L) }));
    }

    [Test]
    public void Queries_scaled_before_the_product_and_a_chosen_mask_are_understood()   // DistilBERT
    {
        var toy = new Toy();
        var (q, k, v) = (Toy.Heads(toy.Linear(toy.X, "q_lin", 8), 2) / 2, Toy.Heads(toy.Linear(toy.X, "k_lin", 8), 2), Toy.Heads(toy.Linear(toy.X, "v_lin", 8), 2));
        var scores = q.MatMul(k.T);
        var hidden = toy.Op("Expand", [toy.X.Slice(2, 0, 1).Apply("Greater", toy.Tape.Constant(OnnxTensor.Scalar(0f))).MoveAxes(0, 2, 1).Unsqueeze(1), scores.ShapeTensor()]);
        var masked = toy.Op("Where", [hidden, toy.Tape.Constant(OnnxTensor.Scalar(-1e30f)), scores]);

        var map = Read(toy.With(toy.Linear(Toy.Merge(Toy.Softmax(masked).MatMul(v)), "out_lin", 8)));

        Assert.That(map.Layers.Single().Sites.Select(site => site.Stored.Bias), Is.EqualTo(new[] { "q_lin.bias", "k_lin.bias", "v_lin.bias", "out_lin.bias" }));
    }

    [Test]
    public void Head_width_of_its_own_soft_cap_and_one_key_head_are_understood()   // Gemma
    {
        var toy = new Toy();
        var (q, k, v) = (Toy.Heads(toy.Linear(toy.X, "q_proj", 24, bias: false), 4), Toy.Heads(toy.Linear(toy.X, "k_proj", 6, bias: false), 1), Toy.Heads(toy.Linear(toy.X, "v_proj", 6, bias: false), 1));
        var scores = (q.MatMul(k.T) / 50).Apply("Tanh") * 50;

        var map = Read(toy.With(toy.Linear(Toy.Merge(Toy.Softmax(scores).MatMul(v)), "o_proj", 8, bias: false)));

        Assert.That((map.Hidden, map.Heads, map.KvHeads, map.HeadWidth), Is.EqualTo((8, 4, 1, 6)));
        Assert.That((map.Layers[0].P!.In, map.Layers[0].P!.Out), Is.EqualTo((24, 8)));
    }

    [Test]
    public void Heads_in_another_order_than_the_file_s_have_no_output_of_their_own()   // query heads by rank in their group
    {
        var toy = new Toy();
        var q = toy.Linear(toy.X, "q", 8).Reshape(0, 0, 2, 2, 2).MoveAxes(0, 3, 2, 1, 4).Reshape(0, 4, -1, 2);
        var (k, v) = (Toy.Heads(toy.Linear(toy.X, "k", 8), 4), Toy.Heads(toy.Linear(toy.X, "v", 8), 4));

        var site = Read(toy.With(toy.Linear(Toy.Attend(q, k, v), "out", 8))).Layers.Single().Q!;

        Assert.That(site.Stored.Columns, Is.EqualTo(new[] { (0L, 2L), (4L, 6L), (2L, 4L), (6L, 8L) }));
        Assert.That(site.IsPacked, Is.True);
    }

    [Test]
    public void Queries_and_keys_that_are_one_product_are_left_alone()   // Reformer
    {
        var toy = new Toy();
        var (shared, v) = (Toy.Heads(toy.Linear(toy.X, "qk", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(shared, shared, v), "out", 8))));

        Assert.That(map.Layers, Is.Empty);
        Assert.That(map.Findings.Single().Reason, Does.Contain("are the same features of one product"));
    }

    [Test]
    public void A_product_that_others_read_before_its_bias_is_adapted_before_it()
    {
        var toy = new Toy();
        var product = toy.Linear(toy.X, "q", 8, bias: false);
        var (q, k, v) = (Toy.Heads(product + toy.Weight("q.bias", 8), 2), Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));

        var site = Read(toy.With(toy.Linear(Toy.Attend(q, k, v), "out", 8) + product)).Layers.Single().Q!;

        Assert.That((site.Bias, site.Output), Is.EqualTo(((Value?)null, site.Product)));
    }

    [Test]
    public void Features_that_arrive_at_the_output_projection_in_another_order_are_refused()
    {
        var toy = new Toy();
        var (q, k, v) = (Toy.Heads(toy.Linear(toy.X, "q", 8), 2), Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));
        var merged = Toy.Softmax(q.MatMul(k.T)).MatMul(v).MoveAxes(0, 2, 3, 1).Reshape(0, 0, 8);

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(merged, "out", 8))));

        Assert.That(map.Layers.Single().P, Is.Null);
        Assert.That(map.Findings.Single().Reason, Does.StartWith("layers.0.p").And.Contain("which of its features come from which head"));
    }

    [Test]
    public void Cross_attention_is_left_alone_with_a_finding()
    {
        var toy = new Toy();
        var memory = toy.Input("memory");
        var (q, k, v) = (Toy.Heads(toy.Linear(toy.X, "q", 8), 2), Toy.Heads(toy.Linear(memory, "k", 8), 2), Toy.Heads(toy.Linear(memory, "v", 8), 2));

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(q, k, v), "out", 8))));

        Assert.That(map.Layers, Is.Empty);
        Assert.That(map.Findings.Single(), Is.EqualTo(new Finding("Softmax", "cross-attention: keys and values are made from another source than queries; it is left alone")));
    }

    [Test]
    public void Positions_added_to_queries_and_keys_alone_are_no_cross_attention()   // DETR
    {
        var toy = new Toy();
        var turned = toy.X + toy.Input("positions");
        var (q, k, v) = (Toy.Heads(toy.Linear(turned, "q", 8), 2), Toy.Heads(toy.Linear(turned, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(q, k, v), "out", 8))));

        Assert.That(map.Findings.Single().Reason, Does.StartWith("values are made from another value than queries and keys"));
    }

    [Test]
    public void An_operator_that_no_step_knows_is_named()
    {
        var toy = new Toy();
        var (q, k, v) = (Toy.Heads(toy.Linear(toy.X, "q", 8), 2).Apply("Sin"), Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(q, k, v), "out", 8))));

        Assert.That(map.Findings.Single().Node, Is.EqualTo("Sin"));
        Assert.That(map.Findings.Single().Reason, Does.StartWith("layers.0.q: the walk from attention to its linear layer stops here at Sin"));
    }

    [Test]
    public void Heads_whose_features_do_not_lie_side_by_side_are_refused()
    {
        var toy = new Toy();
        var (q, k, v) = (toy.Linear(toy.X, "q", 8).Reshape(0, 0, 4, 2).MoveAxes(0, 3, 1, 2), Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(q, k, v), "out", 8))));

        Assert.That(map.Findings.Single().Reason, Does.Contain("layers.0.q").And.Contain("it cannot be said which of its features make which head"));
    }

    [Test]
    public void Scores_from_several_products_are_refused()   // relative positions
    {
        var toy = new Toy();
        var (q, k, v) = (Toy.Heads(toy.Linear(toy.X, "q", 8), 2), Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));
        var positions = Toy.Heads(toy.Linear(toy.X, "r", 8), 2);

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(Toy.Merge(Toy.Softmax(q.MatMul(k.T) + q.MatMul(positions.T)).MatMul(v)))));

        Assert.That(map.Layers, Is.Empty);
        Assert.That(map.Findings.Single().Reason, Does.Contain("sum of several products"));
    }

    [Test]
    public void A_softmax_over_classes_is_no_finding()
    {
        var toy = new Toy();

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(Toy.Softmax(toy.Linear(toy.X, "classifier", 3)))));

        Assert.That((map.Layers.Count, map.Findings.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Attention_in_a_form_that_is_not_understood_is_named_and_no_layer_is_claimed()
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [2, 3, 8])];
        model.Graph.AddOutput(tape.Op($"{OrtOps.Domain}::SparseAttention", [x, x, x], ("num_heads", 2)).Value);

        var map = AttentionMap.Of(CanonicalModel.Of(model));

        Assert.That(map.Layers, Is.Empty);
        Assert.That(map.Findings.Single().Reason, Does.Contain("com.microsoft::SparseAttention"));
    }

    // Rows of all sequences at once, as GPT-2's Conv1D is written.
    private static Expr Gemm(Toy toy, Expr x, string name, int output)
    {
        var rows = toy.Op("Gemm", [x.Reshape(-1, x.Shape[-1].Value!.Value), toy.Weight($"{name}.weight", x.Shape[-1].Value!.Value, output), toy.Weight($"{name}.bias", output)]);
        return toy.Op("Reshape", [rows, Expr.Concat(0, toy.Op("Shape", [toy.X], ("end", 2)), toy.Tape.Longs(output))]);
    }

    // The first half of a head turns, the rest passes.
    private static Expr Turned(Toy toy, Expr head)
    {
        var (turning, rest) = (head.Slice(3, 0, 2), head.Slice(3, 2, 4));
        var rotated = Expr.Concat(-1, -turning.Slice(3, 1, 2), turning.Slice(3, 0, 1));
        return Expr.Concat(-1, (turning * toy.Weight("cos", 2)) + (rotated * toy.Weight("sin", 2)), rest);
    }

    private static AttentionMap Read(OnnxModel deployed)
    {
        var canonical = CanonicalModel.Of(deployed);
        var map = AttentionMap.Of(canonical);

        Assert.That(map.Findings, Is.Empty);
        PackedOutput.TakeApart(canonical.Model.Graph, map, []);
        AssertSameResults(deployed, canonical.Model);
        return map;
    }

    private static void AssertSameResults(OnnxModel deployed, OnnxModel canonical)
    {
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Between(0, 2, "x", 2, 5, Toy.Hidden) };
        var (expected, actual) = (Ort.Run(deployed, inputs).Single().Value.ToFloats(), Ort.Run(canonical, inputs).Single().Value.ToFloats());
        Assert.That(actual, Is.EqualTo(expected).Within(1e-6));
    }
}
