namespace ClipOod.Autodiff.Tests;

/// <summary>Errors name the operator and the shapes.</summary>
public sealed class ErrorTests
{
    private static readonly Graph _graph = new("errors");
    private static readonly Tensor _a = _graph.Input("a", ElementType.Float, "batch", 784);
    private static readonly Tensor _b = _graph.Input("b", ElementType.Float, 768, 10);
    private static readonly Tensor _v = _graph.Input("v", ElementType.Float, 10);
    private static readonly Tensor _image = _graph.Input("image", ElementType.Float, "batch", 3, 30, 32);
    private static readonly Tensor _kernel = _graph.Input("kernel", ElementType.Float, 5, 3, 8, 8);
    private static readonly Tensor _labels = _graph.Input("labels", ElementType.Int64, "batch");

    private static readonly Dictionary<string, (Func<Tensor> Build, string[] Expected)> _cases = new()
    {
        ["MatMul"] = (() => _a.MatMul(_b), ["(batch, 784)", "(768, 10)"]),
        ["MatMulOuter"] = (() => _graph.Constant<float>(new float[6], 3, 1, 2).MatMul(_graph.Constant<float>(new float[8], 2, 2, 2)), ["MatMul:", "(3, 1, 2)", "(2, 2, 2)"]),
        ["Add"] = (() => _a + _b, ["(batch, 784)", "(768, 10)"]),
        ["AddTypes"] = (() => _labels + _a, ["Add:", "Int64", "Float"]),
        ["Linear"] = (() => Op.Linear(_a, _b), ["(batch, 784)", "(768, 10)"]),
        ["LinearBias"] = (() => Op.Linear(_b, _b, _v, transposed: true), ["Linear:", "(10)", "(768)"]),
        ["PatchEmbedding"] = (() => Op.PatchEmbedding(_image, _kernel), ["(batch, 3, 30, 32)", "(5, 3, 8, 8)"]),
        ["LayerNorm"] = (() => Op.LayerNorm(_a, _v, _v), ["(batch, 784)", "(10)"]),
        ["Concat"] = (() => Op.Concat(0, _a, _b), ["(batch, 784)", "(768, 10)"]),
        ["Reshape"] = (() => _b.Reshape(-1, 11), ["(768, 10)", "(-1, 11)"]),
        ["ReshapeCount"] = (() => _a.Reshape("batch", 783), ["Reshape:", "784*batch", "783*batch"]),
        ["Transpose"] = (() => _a.Transpose(0, 0), ["(0, 0)", "(batch, 784)"]),
        ["Slice"] = (() => _b.Slice(1, 8..12), ["8..12", "(768, 10)"]),
        ["Split"] = (() => _b.Split(1, 3)[0], ["(768, 10)", "3 equal parts"]),
        ["Sum"] = (() => _a.Sum([2]), ["axis 2", "(batch, 784)"]),
        ["SumTwice"] = (() => _a.Sum([1, -1]), ["Sum:", "(1, -1)"]),
        ["Squeeze"] = (() => _a.Squeeze(1), ["(batch, 784)", "784"]),
        ["BroadcastTo"] = (() => _b.BroadcastTo(768, 20), ["(768, 10)", "(768, 20)"]),
        ["Gather"] = (() => _b.Gather(_v), ["Float (10)", "Int64"]),
        ["GatherElements"] = (() => _a.GatherElements(_labels, 1), ["(batch, 784)", "(batch)"]),
        ["CrossEntropy"] = (() => Op.CrossEntropy(_b, _labels), ["(768, 10)", "(batch)", "(768)"]),
        ["Where"] = (() => Op.Where(_a, _a, _a), ["Bool"]),
        ["Exp"] = (() => _labels.Exp(), ["Int64"]),
        ["Clamp"] = (() => _a.Clamp(1, 0), ["1", "0"]),
        ["Dropout"] = (() => _a.Dropout(1, 0), ["rate 1"]),
    };

    public static TheoryData<string> Cases => [.. _cases.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operator_OnShapesThatDoNotFit_NamesItselfAndThem(string name)
    {
        (Func<Tensor> build, string[] expected) = _cases[name];
        ArgumentException error = Assert.Throws<ArgumentException>(build);
        if (!expected[0].EndsWith(':'))
        {
            Assert.StartsWith(name + ":", error.Message, StringComparison.Ordinal);
        }

        Assert.All(expected, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Feeds_ThatDoNotFit_AreRefusedWithInputAndSizes()
    {
        Graph graph = new("feeds");
        Tensor x = graph.Input("x", ElementType.Float, "batch", 3);
        Tensor y = graph.Input("y", ElementType.Int64, "batch");
        using Evaluator evaluator = new([Op.CrossEntropy(x, y)]);
        string refused(params Feed[] feeds) => Assert.Throws<ArgumentException>(() => evaluator.Run(feeds)).Message;
        Assert.Contains("Not fed: 'y' Int64 (batch)", refused(("x", new float[3])), StringComparison.Ordinal);
        Assert.Contains("no input 'z'", refused(("x", new float[3]), ("z", new long[1])), StringComparison.Ordinal);
        Assert.Contains("'x' is fed twice", refused(("x", new float[3]), ("x", new float[3])), StringComparison.Ordinal);
        Assert.Contains("'y' is Int64 (batch), got values of type Int32", refused(("x", new float[3]), ("y", new int[1])), StringComparison.Ordinal);
        Assert.Contains("'x' is Float (batch, 3), got 4 values", refused(("x", new float[4]), ("y", new long[1])), StringComparison.Ordinal);
        Assert.Contains("batch is 2 in input 'x'", refused(("x", new float[6]), ("y", new long[3])), StringComparison.Ordinal);
        Assert.Contains("got shape (3, 2)", refused(("x", new float[3, 2]), ("y", new long[3])), StringComparison.Ordinal);
        Assert.Equal(Math.Log(3), evaluator.Run(("x", new float[2, 3]), ("y", new long[2]))[0].ToDouble(), 1e-6);
    }
}
