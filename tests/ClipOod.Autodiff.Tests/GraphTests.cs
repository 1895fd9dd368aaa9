using System.Diagnostics;

namespace ClipOod.Autodiff.Tests;

public sealed class GraphTests
{
    [Fact]
    public void Gradients_OfAFrozenParameter_AddNoBackwardNodes()
    {
        int backwardNodes(bool freezeFirst, out Graph graph)
        {
            graph = new("frozen");
            Tensor x = graph.Input("x", ElementType.Float, "batch", 4);
            Weight first = graph.Weight("first", [4, 5], Initial.Normal(1, 1), trainable: !freezeFirst);
            Weight second = graph.Weight("second", [5, 2], Initial.Normal(1, 2));
            Tensor loss = x.MatMul(first).Sigmoid().MatMul(second).Mean();
            int forward = graph.Nodes.Count;
            graph.Gradients(loss, [.. graph.Weights.Where(p => p.Trainable)]);
            return graph.Nodes.Count - forward;
        }

        Assert.True(backwardNodes(true, out Graph frozen) < backwardNodes(false, out _));

        // Nothing flows to the first layer: no product with the transposed second weight, and none with the input.
        Assert.Equal(2 + 1, frozen.Nodes.Count(node => node.Operation == "Gemm"));
        Assert.DoesNotContain(frozen.Nodes.Skip(6), node => node.Inputs.Contains(frozen.Weights[0]) || node.Inputs.Contains(frozen.Weights[1]));
    }

    [Fact]
    public void Trainer_WithAFrozenParameter_LeavesItAsItIs()
    {
        Graph graph = new("frozen");
        Tensor x = graph.Input("x", ElementType.Float, "batch", 2);
        Weight frozen = graph.Weight("frozen", [2, 2], Initial.Normal(1, 1), trainable: false);
        Weight learned = graph.Weight("learned", [2, 1], Initial.Normal(1, 2));
        float[] before = frozen.Value.Values<float>();
        float[] learnedBefore = learned.Value.Values<float>();
        using Trainer trainer = new(x.MatMul(frozen).MatMul(learned).Pow(2).Mean(), new Sgd(0.1));
        trainer.Step(("x", new float[] { 1, 2, 3, 4 }));
        Assert.Equal([learned], trainer.Weights);
        Assert.Equal(before, frozen.Value.Values<float>());
        Assert.NotEqual(learnedBefore, learned.Value.Values<float>());
        Assert.DoesNotContain("frozen", trainer.GetState().Keys);
    }

    [Fact]
    public void Gradients_OfWhatDoesNotDependOnIt_AreRefused()
    {
        Graph graph = new("stop", ElementType.Double);
        Tensor x = graph.Input("x", ElementType.Double, 2), other = graph.Input("other", ElementType.Double, 2);
        ArgumentException error = Assert.Throws<ArgumentException>(() => graph.Gradients(other.Sum(), x));
        Assert.Contains("does not depend on 'x'", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => graph.Gradients(x.ArgMax(0).Cast(ElementType.Double), x));
    }

    [Fact]
    public void Gradients_OfAVector_AreRefused()
    {
        Graph graph = new("vector");
        Tensor x = graph.Input("x", ElementType.Float, "batch");
        ArgumentException error = Assert.Throws<ArgumentException>(() => graph.Gradients(x.Exp(), x));
        Assert.Contains("expected a scalar", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_ThatAreEqual_AreMadeOnce()
    {
        Graph graph = new("equal");
        Tensor x = graph.Input("x", ElementType.Float, "batch");
        Assert.Same(x.Exp(), x.Exp());
        Assert.Same(x * 2, x * 2);
        Assert.NotSame(x.Dropout(0.5, 1), x.Dropout(0.5, 1));
    }

    [Fact]
    public void ToModel_OfATransformer_PassesTheOnnxChecker()
    {
        const string Python = "/usr/bin/python3";
        Assert.SkipUnless(
            File.Exists(Python) && Run(Python, "-c", "import onnx").ExitCode == 0,
            $"{Python} with Debian's python3-onnx is not here, so the model was not checked by another tool.");
        Graph graph = new("vit");
        (Tensor logits, Tensor loss) = SmallVit.Build(graph, new SmallVit.Sizes(16, 8, 32, 2, 1, 4), seed: 1);
        Tensor pixels = graph.Gradients(loss, graph.Inputs[0])[0];
        graph.Output("logits", logits.Dropout(0.1, seed: 1));
        graph.Output("gradient", pixels);
        string path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "vit.onnx");
        File.WriteAllBytes(path, graph.ToModel(graph.Outputs, training: false, graph.ValueOf));
        (int exitCode, string output) = Run(
            Python,
            "-c",
            "import onnx, sys; m = onnx.load(sys.argv[1]); onnx.checker.check_model(m, full_check=True); "
            + "print(m.opset_import[0].version, {n.domain for n in m.graph.node}, [o.name for o in m.graph.output], len(m.graph.initializer) > 10)",
            path);
        Assert.True(exitCode == 0, output);
        Assert.Equal("17 {''} ['logits', 'gradient'] True", output.Trim());
    }

    [Fact]
    public void ToModel_WithParametersInside_ComputesTheSame()
    {
        Graph graph = new("saved");
        Tensor x = graph.Input("x", ElementType.Float, "batch", 3);
        Tensor y = graph.Output("y", Op.LayerNorm(
            x.MatMul(graph.Weight("w", [3, 4], Initial.Normal(1, 1))),
            graph.Weight("scale", [4], Initial.Constant(1)),
            graph.Weight("bias", [4], Initial.Constant(0))).Gelu());
        float[] values = [1, 2, 3, -1, 0, 2];
        using Evaluator evaluator = new([y]);
        using Evaluator constant = new([y], constantWeights: true);
        using Microsoft.ML.OnnxRuntime.InferenceSession session = Engine.CreateSession(graph.ToModel(graph.Outputs, training: false, graph.ValueOf));
        using Microsoft.ML.OnnxRuntime.OrtValue input = Engine.Tensor<float>(values, 2, 3);
        using Microsoft.ML.OnnxRuntime.RunOptions options = new();
        using var outputs = session.Run(options, ["x"], [input], ["y"]);
        float[] expected = evaluator.Run(("x", values))[0].Values<float>();
        Assert.Equal(expected, outputs[0].GetTensorDataAsSpan<float>().ToArray(), (a, b) => Math.Abs(a - b) <= 1e-6);
        Assert.Equal(expected, constant.Run(("x", values))[0].Values<float>(), (a, b) => Math.Abs(a - b) <= 1e-6);
    }

    [Fact]
    public void Evaluator_WithConstantParameters_KeepsThemWhileATrainerGoesOn()
    {
        Graph graph = new("constant");
        Tensor x = graph.Input("x", ElementType.Float, "batch", 256);
        Weight large = graph.Weight("large", [256, 128], Initial.Normal(0.1, 1));
        Weight folded = graph.Weight("folded", [128, 16, 16], Initial.Normal(0.1, 2));
        Tensor y = x.MatMul(large).Sigmoid().MatMul(folded.Reshape(128, 256) * 2);
        float[] values = new float[256];
        Array.Fill(values, 0.3f);
        using Trainer trainer = new(y.Pow(2).Mean(), new Sgd(0.1));
        using Evaluator present = new([y]);
        Evaluator? constant = null;
        float[] kept = [];
        for (int step = 0; step < 5; step++)
        {
            trainer.Step(("x", values));
            if (step == 1)
            {
                constant = new([y], constantWeights: true);
                kept = constant.Run(("x", values))[0].Values<float>();
                Assert.Equal(present.Run(("x", values))[0].Values<float>(), kept, (a, b) => Math.Abs(a - b) <= 1e-5);
            }
        }

        Assert.Equal(kept, constant!.Run(("x", values))[0].Values<float>());
        Assert.NotEqual(kept, present.Run(("x", values))[0].Values<float>());
        constant.Dispose();
    }

    [Fact]
    public void Output_NamedAfterAnEvaluatorWasMade_StaysItsOutput()
    {
        Graph graph = new("renamed");
        Tensor x = graph.Input("x", ElementType.Float, "n");
        Tensor y = x.Exp();
        using Evaluator evaluator = new([y, y]);
        graph.Output("y", y);
        Assert.Equal("y", y.Name);
        Assert.NotSame(y, graph.Output("again", y));
        Assert.NotSame(x, graph.Output("same", x));
        Assert.All(evaluator.Run(("x", new float[] { 0 })), value => Assert.Equal([1f], value.Values<float>()));
        using Evaluator all = new([.. graph.Outputs]);
        Assert.Equal([1, 1, 0], all.Run(("x", new float[] { 0 })).Select(value => value.ToDouble()));
    }

    [Fact]
    public void Display_OfAGraph_ShowsNodesShapesAndCounts()
    {
        Graph graph = new("<mlp>");
        Tensor x = graph.Input("x", ElementType.Float, "batch", 784);
        Weight w = graph.Weight("w", [784, 10], Initial.Normal(0.02, 1));
        graph.Weight("b", [10], Initial.Constant(0), trainable: false);
        graph.Output("probabilities", x.MatMul(w).Softmax());
        string text = graph.ToString();
        Assert.StartsWith("Graph '<mlp>' (Float): 2 nodes, 7,850 parameters, 7,840 of them trainable", text, StringComparison.Ordinal);
        Assert.Matches(@"w +\(784, 10\) +7,840 +yes", text);
        Assert.Matches(@"b +\(10\) +10 +frozen", text);
        Assert.Matches(@"probabilities +Softmax +\(batch, 10\) +Gemm_\d+", text);
        string html = graph.ToHtml();
        Assert.Contains("Graph &#39;&lt;mlp&gt;&#39;", html, StringComparison.Ordinal);
        Assert.Contains("<td>(784, 10)</td><td>7,840</td><td>yes</td>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<mlp>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_TakenTwice_AreRefused()
    {
        Graph graph = new("names");
        graph.Input("x", ElementType.Float, 2);
        Assert.Contains("'x' is taken", Assert.Throws<ArgumentException>(() => graph.Weight("x", [2], Initial.Constant(0))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => graph.Input("y", ElementType.Float, 0));
        Assert.Throws<ArgumentException>(() => graph.Input("z", ElementType.Float, "a-b"));
        Assert.Throws<ArgumentException>(() => graph.Weight("w", [2], Initial.Values(new float[3])));
        Assert.Throws<ArgumentException>(() => graph.Weight("w2", [2], Initial.Values(new double[2])));
        Assert.Throws<ArgumentException>(() => new Graph("other").Input("x", ElementType.Float, 2) + graph.Inputs[0]);
        Assert.Throws<ArgumentException>(() => new Graph("labels", ElementType.Int64));
    }

    private static (int ExitCode, string Output) Run(string file, params string[] arguments)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    [Fact]
    public void Evaluator_OfAPartWhoseBatchSizeAnotherInputShares_NeedsItsOwnInputsOnly()
    {
        Graph graph = new("two");
        graph.Input("first", ElementType.Float, "batch", 2);
        Tensor second = graph.Input("second", ElementType.Float, 3, "batch");
        using Evaluator evaluator = new([second.Size(1), second.Indices(1), second.Mean()]);
        IReadOnlyList<TensorValue> values = evaluator.Run(("second", new float[] { 1, 2, 3, 4, 5, 6 }));
        Assert.Equal(2, values[0].ToDouble());
        Assert.Equal([0L, 1L], values[1].Values<long>());
        Assert.Equal(3.5, values[2].ToDouble());
    }
}
