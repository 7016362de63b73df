using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Attention.Walks;

/// <summary>Rotary embeddings in many spellings, on 2 heads of width 4.</summary>
internal sealed class RotaryRegionTests
{
    private static readonly (string Name, Func<Toy, Expr, Expr> Rotate)[] Spellings =
    [
        ("halves", (toy, x) => (x * Cos(toy, 4)) + (Expr.Concat(-1, -x.Slice(3, 2, 4), x.Slice(3, 0, 2)) * Sin(toy, 4))),
        ("neighbours by steps", (toy, x) => (x * Cos(toy, 4)) + (Stack(-Every(toy, x, 1), Every(toy, x, 0)) * Sin(toy, 4))),
        ("neighbours, written out", (toy, x) => Stack((Every(toy, x, 0) * Cos(toy, 2)) - (Every(toy, x, 1) * Sin(toy, 2)), (Every(toy, x, 0) * Sin(toy, 2)) + (Every(toy, x, 1) * Cos(toy, 2)))),
        ("neighbours that become halves", (toy, x) => Expr.Concat(-1, (Every(toy, x, 0) * Cos(toy, 2)) - (Every(toy, x, 1) * Sin(toy, 2)), (Every(toy, x, 0) * Sin(toy, 2)) + (Every(toy, x, 1) * Cos(toy, 2)))),
        ("complex numbers", (toy, x) =>
        {
            var pairs = toy.Split(x.Reshape(0, 0, 0, 2, 2), 4, 1, 1);
            var (a, b) = (pairs[0].Squeeze(4), pairs[1].Squeeze(4));
            return Stack((a * Cos(toy, 2)) - (b * Sin(toy, 2)), (a * Sin(toy, 2)) + (b * Cos(toy, 2)));
        }),
        ("part of a head", (toy, x) => Expr.Concat(-1, (x.Slice(3, 0, 2) * Cos(toy, 2)) + (Expr.Concat(-1, -x.Slice(3, 1, 2), x.Slice(3, 0, 1)) * Sin(toy, 2)), x.Slice(3, 2, 4))),
        ("the rest first", (toy, x) => Expr.Concat(-1, x.Slice(3, 0, 2), (x.Slice(3, 2, 4) * Cos(toy, 2)) + (Expr.Concat(-1, -x.Slice(3, 3, 4), x.Slice(3, 2, 3)) * Sin(toy, 2)))),
        ("all of a head and an empty rest", (toy, x) => Expr.Concat(-1, (x.Slice(3, 0, 4) * Cos(toy, 4)) + (Expr.Concat(-1, -x.Slice(3, 2, 4), x.Slice(3, 0, 2)) * Sin(toy, 4)), x.Slice(3, 4, long.MaxValue))),
        ("axes moved inside", (toy, x) => (x.MoveAxes(0, 2, 1, 3) * Cos(toy, 4).Reshape(-1, 1, 4)).MoveAxes(0, 2, 1, 3) + (Expr.Concat(-1, -x.Slice(3, 2, 4), x.Slice(3, 0, 2)) * Sin(toy, 4))),
        ("operator, halves", (toy, x) => Operator(toy, x, 0, 4)),
        ("operator, neighbours", (toy, x) => Operator(toy, x, 1, 4)),
        ("operator, neighbours in part of a head", (toy, x) => Operator(toy, x, 1, 2)),
        ("operator on flat heads", (toy, x) => Toy.Heads(Operator(toy, Toy.Merge(x), 1, 4, ("num_heads", 2)), 2)),
        ("operator of ONNX Runtime", (toy, x) => RuntimeOperator(toy, x, 4, ("interleaved", 1))),
        ("operator of ONNX Runtime on flat heads", (toy, x) => Toy.Heads(RuntimeOperator(toy, Toy.Merge(x), 4, ("interleaved", 1)), 2)),
        ("operator of ONNX Runtime, packed batches", (toy, x) => RuntimeOperator(toy, x, 4, ("interleaved", 1), ("is_packed_batching", 1))),
        ("operator of ONNX Runtime in part of a head", (toy, x) => RuntimeOperator(toy, x, 2, ("interleaved", 1), ("rotary_embedding_dim", 2), ("num_heads", 2))),
    ];

    private static IEnumerable<string> Names => Spellings.Select(spelling => spelling.Name);

    [Test]
    public void Heads_are_found_before_the_rotation([ValueSource(nameof(Names))] string name, [Values] bool isFixed)
    {
        var toy = new Toy();
        var rotate = Spellings.Single(spelling => spelling.Name == name).Rotate;
        var (q, k, v) = (Toy.Heads(toy.Linear(toy.X, "q", 8), 2), Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2));
        var model = toy.With(toy.Linear(Toy.Attend(rotate(toy, q), rotate(toy, k), v), "p", 8));
        (model.OpsetVersions[string.Empty], model.OpsetVersions[OrtOps.Domain]) = (23, 1);

        var map = AttentionMap.Of(CanonicalModel.Of(isFixed ? FixedModels.WithSizes(model, 2, 4) : model));

        Assert.That(map.Findings, Is.Empty);
        Assert.That(map.Layers.Single().Sites.Select(site => (site.Matrix, site.Heads, site.Stored.Weight)), Is.EqualTo(new[] { ("q", 2, "q.weight"), ("k", 2, "k.weight"), ("v", 2, "v.weight"), ("p", 2, "p.weight") }));
        Assert.That(map.Layers[0].Q!.Forms, Does.Contain("rotary embedding"));
    }

    [Test]
    public void Heads_that_are_rotated_into_each_other_are_no_heads()
    {
        var toy = new Toy();
        var flat = toy.Linear(toy.X, "q", 8);
        var q = Toy.Heads((flat * Cos(toy, 8)) + (Expr.Concat(-1, -flat.Slice(2, 4, 8), flat.Slice(2, 0, 4)) * Sin(toy, 8)), 2);

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(q, Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2)), "p", 8))));

        Assert.That(map.Findings[0].Reason, Does.Contain("layers.0.q").And.Contain("which of its features make which head"));
    }

    [Test]
    public void Queries_and_keys_that_are_rotated_in_one_piece_are_adapted_before()
    {
        var toy = new Toy();
        var packed = toy.Linear(toy.X, "qk", 16).Reshape(0, 0, 4, 4).MoveAxes(0, 2, 1, 3);
        var rotated = toy.Split((packed * Cos(toy, 4)) + (Expr.Concat(-1, -packed.Slice(3, 2, 4), packed.Slice(3, 0, 2)) * Sin(toy, 4)), 1, 2, 2);

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(rotated[0], rotated[1], Toy.Heads(toy.Linear(toy.X, "v", 8), 2)), "p", 8))));

        var (q, k) = (map.Layers.Single().Q!, map.Layers.Single().K!);
        Assert.That((q.Stored.Columns.Single(), k.Stored.Columns.Single()), Is.EqualTo(((0L, 8L), (8L, 16L))));
        Assert.That((q.IsPacked, q.Output.Producer!.Op), Is.EqualTo((true, "Add")));   // a part of the product and its bias
    }

    [Test]
    public void A_long_chain_of_sums_does_not_exhaust_the_stack()
    {
        var toy = new Toy();
        var x = Toy.Heads(toy.Linear(toy.X, "q", 8), 2);
        var q = Enumerable.Range(0, 20_000).Aggregate(x, (sum, _) => sum + x);

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(q, Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2)), "p", 8))));

        Assert.That(map.Layers.Single().Q, Is.Not.Null);
    }

    [Test]
    public void What_stops_a_rotation_is_named()
    {
        var toy = new Toy();
        var x = Toy.Heads(toy.Linear(toy.X, "q", 8), 2);
        var q = (x * Cos(toy, 4)) + (toy.Op("ReverseSequence", [Expr.Concat(-1, -x.Slice(3, 2, 4), x.Slice(3, 0, 2)), toy.Tape.Longs(1)]) * Sin(toy, 4));

        var map = AttentionMap.Of(CanonicalModel.Of(toy.With(toy.Linear(Toy.Attend(q, Toy.Heads(toy.Linear(toy.X, "k", 8), 2), Toy.Heads(toy.Linear(toy.X, "v", 8), 2)), "p", 8))));

        Assert.That(map.Findings[0].Explanation!.Closest!.ToString(), Does.Contain("rotary embedding").And.Contain("where ReverseSequence"));
    }

    private static Expr Cos(Toy toy, int width) => Angles(toy, width).Apply("Cos");

    private static Expr Sin(Toy toy, int width) => Angles(toy, width).Apply("Sin");

    // positions · frequencies, as a product with a matrix of one row
    private static Expr Angles(Toy toy, int width)
    {
        var positions = toy.Op("Range", [toy.Tape.Constant(OnnxTensor.Scalar(0L)), toy.X.SizeOf(1).Squeeze(0), toy.Tape.Constant(OnnxTensor.Scalar(1L))]).Cast(ElementType.Float);
        return positions.Unsqueeze(1).MatMul(toy.Weight("frequencies", 1, width));
    }

    private static Expr Every(Toy toy, Expr x, long start) => toy.Op("Slice", [x, toy.Tape.Longs(start), toy.Tape.Longs(long.MaxValue), toy.Tape.Longs(3), toy.Tape.Longs(2)]);

    private static Expr Stack(Expr a, Expr b) => Expr.Concat(-1, a.Unsqueeze(4), b.Unsqueeze(4)).Reshape(0, 0, 0, 4);

    private static Expr Operator(Toy toy, Expr x, long interleaved, int width, params (string Name, OnnxAttribute? Value)[] attributes)
    {
        var positions = toy.X.Sum(2).Squeeze(2).Cast(ElementType.Int64);
        return toy.Op("RotaryEmbedding", [x, toy.Weight("cos", 8, width / 2), toy.Weight("sin", 8, width / 2), positions], [("interleaved", interleaved), ("rotary_embedding_dim", width == 4 ? 0 : width), .. attributes]);
    }

    private static Expr RuntimeOperator(Toy toy, Expr x, int width, params (string Name, OnnxAttribute? Value)[] attributes) =>
        toy.Tape.Op(OrtOps.RotaryEmbedding, [x, toy.Tape.Longs(0), toy.Weight("cos", 8, width / 2), toy.Weight("sin", 8, width / 2)], attributes);
}
