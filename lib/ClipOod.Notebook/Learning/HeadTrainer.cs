using ClipOod.Notebook.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook;

/// <summary>
/// The training step of a <see cref="LinearHead"/> as one ONNX graph: gather the batch, logits, gradient of the mean
/// cross-entropy, update. The bias is the last column of the weight, against a feature that is always 1, so that both
/// take the same path. Parameters and optimizer state alternate between two sets of buffers, one read, one written.
/// </summary>
internal sealed class HeadTrainer : IDisposable
{
    private const long SharedStep = 1L << 30;

    private readonly int _classes;
    private readonly int _width;
    private readonly HeadOptions _options;
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();
    private readonly string[] _stateNames;
    private readonly float[] _loss = new float[1];
    private readonly float[][][] _buffers;
    private readonly OrtValue[][] _states;

    // The binding holds pointers only: an OrtValue keeps its array in place for as long as it lives.
    private readonly OrtValue[] _data;
    private int _steps;

    public HeadTrainer(Embeddings features, IReadOnlyList<int> labels, LinearHead initial, HeadOptions options)
    {
        _classes = initial.NumClasses;
        _width = initial.Width;
        _options = options;
        _stateNames = options.Optimizer == HeadOptimizer.Sgd ? ["weight", "velocity"] : ["weight", "mean", "square"];

        // Sharing a small step between threads takes twice the processor time and gains nothing.
        long products = (long)Math.Min(options.BatchSize, features.Rows) * _classes * _width;
        _session = Engine.CreateSession(StepGraph(), products < SharedStep ? 1 : Engine.Threads);
        _binding = _session.CreateIoBinding();

        int size = _classes * (_width + 1);
        _buffers = [.. Enumerable.Range(0, 2).Select(_ => _stateNames.Select(_ => new float[size]).ToArray())];
        _states = [.. _buffers.Select(set => set.Select(b => Engine.Tensor<float>(b, _classes, _width + 1)).ToArray())];
        for (int i = 0; i < _classes; i++)
        {
            for (int j = 0; j < _width; j++)
            {
                _buffers[0][0][(i * (_width + 1)) + j] = (float)initial.Weight[i, j];
            }

            _buffers[0][0][(i * (_width + 1)) + _width] = (float)initial.Bias[i];
        }

        // The binding copies what it is given to the device, so the data travels once and the rest at every step.
        _data =
        [
            Engine.Tensor(features, 0, features.Rows),
            Engine.Tensor<long>(labels.Select(label => (long)label).ToArray(), labels.Count),
            Engine.Tensor<float>(_loss),
        ];
        _binding.BindInput("features", _data[0]);
        _binding.BindInput("labels", _data[1]);
        _binding.BindOutput("loss", _data[2]);
    }

    /// <summary>One update from the given rows; returns the sum of their losses before it.</summary>
    public double Step(Memory<long> rows, double learningRate)
    {
        int from = _steps % 2, to = 1 - from;
        _steps++;
        using OrtValue batch = Engine.Tensor(rows, rows.Length);
        _binding.BindInput("rows", batch);
        for (int i = 0; i < _stateNames.Length; i++)
        {
            _binding.BindInput(_stateNames[i], _states[from][i]);
            _binding.BindOutput($"new_{_stateNames[i]}", _states[to][i]);
        }

        List<OrtValue> scalars = [];
        Bind("inverse_count", 1.0 / rows.Length);
        if (_options.Optimizer == HeadOptimizer.Adam)
        {
            Bind("step_size", learningRate / (1 - Math.Pow(_options.Beta1, _steps)));
            Bind("root_correction", 1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, _steps)));
        }
        else
        {
            Bind("step_size", learningRate);
        }

        _session.RunWithBinding(_runOptions, _binding);
        scalars.ForEach(scalar => scalar.Dispose());
        return _loss[0];

        void Bind(string name, double value)
        {
            scalars.Add(Engine.Tensor<float>(new[] { (float)value }));
            _binding.BindInput(name, scalars[^1]);
        }
    }

    /// <summary>The present parameters, copied.</summary>
    public LinearHead Head(IReadOnlyList<double> history)
    {
        float[] parameters = _buffers[_steps % 2][0];
        float[] weight = new float[_classes * _width];
        double[] bias = new double[_classes];
        for (int i = 0; i < _classes; i++)
        {
            ReadOnlySpan<float> row = parameters.AsSpan(i * (_width + 1), _width + 1);
            row[.._width].CopyTo(weight.AsSpan(i * _width));
            bias[i] = row[_width];
        }

        return new LinearHead(new Embeddings(_classes, _width, weight), bias, history);
    }

    public void Dispose()
    {
        _binding.Dispose();
        _session.Dispose();
        _runOptions.Dispose();
        foreach (OrtValue value in _states.SelectMany(set => set).Concat(_data))
        {
            value.Dispose();
        }
    }

    private OnnxGraph StepGraph()
    {
        OnnxGraph graph = new("training step");
        string rows = graph.Input("rows", DataType.Int64, "b");
        string x = graph.Node("Gather", [graph.Input("features", DataType.Float, "n", _width), rows]);
        string y = graph.Node("Gather", [graph.Input("labels", DataType.Int64, "n"), rows]);
        string[] state = [.. _stateNames.Select(name => graph.Input(name, DataType.Float, _classes, _width + 1))];

        x = graph.Node("Pad", [x, graph.Constant(0L, 0, 0, 1), graph.Constant(1f)]);
        string logits = graph.Node("Gemm", [x, state[0]], [("transB", 1)]);
        string logProbabilities = graph.Node("LogSoftmax", [logits], [("axis", 1)]);
        string target = graph.Node("OneHot", [y, graph.Constant((long)_classes), graph.Constant(0f, 1f)]);
        string loss = graph.Node("ReduceSum", [graph.Node("Mul", [target, logProbabilities])], [("keepdims", 0)]);
        graph.Node("Neg", [loss], output: "loss");
        graph.Output("loss", DataType.Float);

        // Gradient of the mean cross-entropy by the logits: (softmax − one-hot) / batch size.
        string error = graph.Node("Sub", [graph.Node("Exp", [logProbabilities]), target]);
        error = graph.Node("Mul", [error, graph.Input("inverse_count", DataType.Float)]);
        string stepSize = graph.Input("step_size", DataType.Float);
        if (_options.Optimizer == HeadOptimizer.Sgd)
        {
            AddSgd(graph, x, error, state, stepSize);
        }
        else
        {
            AddAdam(graph, x, error, state, stepSize);
        }

        foreach (string name in _stateNames)
        {
            graph.Output($"new_{name}", DataType.Float, _classes, _width + 1);
        }

        return graph;
    }

    // v ← μ·v + g + λ·w; w ← w − lr·v. Gemm adds μ·v to the gradient as it computes it.
    private void AddSgd(OnnxGraph graph, string x, string error, string[] state, string stepSize)
    {
        bool decays = _options.WeightDecay > 0;
        (string, object)[] attributes = [("transA", 1), ("beta", (float)_options.Momentum)];
        string velocity = graph.Node("Gemm", [error, x, state[1]], attributes, decays ? null : "new_velocity");
        if (decays)
        {
            string decay = graph.Node("Mul", [state[0], graph.Constant((float)_options.WeightDecay)]);
            velocity = graph.Node("Add", [velocity, decay], output: "new_velocity");
        }

        graph.Node("Sub", [state[0], graph.Node("Mul", [velocity, stepSize])], output: "new_weight");
    }

    // g ← g + λ·w; m ← β₁·m + (1−β₁)·g; s ← β₂·s + (1−β₂)·g²; w ← w − lr/(1−β₁ᵗ) · m / (√s/√(1−β₂ᵗ) + ε).
    private void AddAdam(OnnxGraph graph, string x, string error, string[] state, string stepSize)
    {
        (string, object)[] attributes = [("transA", 1), ("beta", (float)_options.WeightDecay)];
        string gradient = graph.Node("Gemm", [error, x, state[0]], attributes);
        string mean = Average(state[1], gradient, _options.Beta1, "new_mean");
        string square = Average(state[2], graph.Node("Mul", [gradient, gradient]), _options.Beta2, "new_square");
        string root = graph.Node("Mul", [graph.Node("Sqrt", [square]), graph.Input("root_correction", DataType.Float)]);
        string denominator = graph.Node("Add", [root, graph.Constant((float)_options.Epsilon)]);
        string change = graph.Node("Div", [graph.Node("Mul", [mean, stepSize]), denominator]);
        graph.Node("Sub", [state[0], change], output: "new_weight");

        string Average(string old, string value, double beta, string output) => graph.Node(
            "Add",
            [graph.Node("Mul", [old, graph.Constant((float)beta)]), graph.Node("Mul", [value, graph.Constant((float)(1 - beta))])],
            output: output);
    }
}
