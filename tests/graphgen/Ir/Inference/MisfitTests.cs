using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inference;

/// <summary>Nodes whose attributes do not fit their inputs are the model's fault, and are named; what goes wrong in a rule is ours, and is
/// not blamed on the model. x is float [2, 3, 8].</summary>
internal sealed class MisfitTests
{
    private static IEnumerable<TestCaseData> Misfits =>
    [
        Misfit("Tile with fewer repeats than axes", x => x.Tape.Op("Tile", [x, x.Tape.Longs(1, 2)])),
        Misfit("Slice with a step of 0", x => x.Tape.Op("Slice", [x, x.Tape.Longs(0), x.Tape.Longs(2), x.Tape.Longs(0), x.Tape.Longs(0)])),
        Misfit("Slice with fewer ends than axes", x => x.Tape.Op("Slice", [x, x.Tape.Longs(0, 0), x.Tape.Longs(2), x.Tape.Longs(0, 1)])),
        Misfit("Pad with fewer pads than axes", x => x.Tape.Op("Pad", [x, x.Tape.Longs(0, 1, 0, 0)])),
        Misfit("Split with fewer lengths than parts", x => x.Tape[x.Tape.Write("Split", [x, x.Tape.Longs(8)], 2, ("axis", 2L)).Output]),
        Misfit("Range with a step of 0", x => x.Tape.Op("Range", [Number(x, 0), Number(x, 3), Number(x, 0)])),
        Misfit("Conv with a stride of 0", x => x.Tape.Op("Conv", [x, Kernel(x, 1)], ("strides", new[] { 0L }))),
        Misfit("Conv with two strides for one axis", x => x.Tape.Op("Conv", [x, Kernel(x, 1)], ("strides", new[] { 1L, 1L }))),
        Misfit("Conv with a kernel of another rank", x => x.Tape.Op("Conv", [x, Kernel(x, 1, 1)])),
        Misfit("Flatten behind the last axis", x => x.Apply("Flatten", ("axis", 9L))),
        Misfit("Einsum with a letter from nowhere", x => x.Apply("Einsum", ("equation", "abc->abd"))),
        Misfit("attention of vectors", x => x.Tape.Op(OrtOps.GroupQueryAttention, [x.Reshape(-1)])),
        Misfit("sizes without bound", x => x.Tape.Op("ConstantOfShape", [x.Tape.Longs(1L << 40, 1L << 40)]).Apply("Size")),
    ];

    [TestCaseSource(nameof(Misfits))]
    public void A_misfit_is_the_fault_of_the_model(Func<Expr, Expr> write)
    {
        var (_, tape) = Ort.New();

        Assert.That(() => write(Input(tape)), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT121"));
    }

    [Test]
    public void An_operand_that_a_form_needs_is_named_where_it_is_missing()
    {
        var (model, tape) = Ort.New();
        model.Graph.AddOutput(tape.Op(OrtOps.QLinearSigmoid, [Input(tape)]).Value);

        Assert.That(() => CanonicalModel.Of(model), Throws.TypeOf<LortaException>().With.Message.Contains("its input 1 is missing"));
    }

    [Test]
    public void A_defect_of_a_form_is_not_blamed_on_the_model()
    {
        var (model, tape) = Ort.New();
        model.Graph.AddOutput((Input(tape) + 1).Value);
        var broken = new Replace("broken", "Add", (_, _) => throw new InvalidCastException());

        Assert.That(() => new Rewriting(model).Apply([broken]), Throws.TypeOf<InvalidCastException>());
    }

    private static TestCaseData Misfit(string name, Func<Expr, Expr> write) => new TestCaseData(write).SetName($"{{m}}({name})");

    private static Expr Input(Tape tape) => tape[tape.Graph.AddInput("x", ElementType.Float, [2, 3, 8])];

    private static Expr Number(Expr x, long number) => x.Tape.Scalar(number, ElementType.Int64);

    private static Expr Kernel(Expr x, params long[] sizes) =>
        x.Tape.Constant(OnnxTensor.Of<float>([4, 3, .. sizes], new float[12]));
}
