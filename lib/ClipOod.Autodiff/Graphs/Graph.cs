using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ClipOod.Autodiff;

/// <summary>
/// A computation over tensors, built operator by operator (see <see cref="Op"/>) and run by an <see cref="Evaluator"/>
/// or learned by a <see cref="Trainer"/>. Shapes are checked as the graph is built.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed partial class Graph
{
    private readonly List<Node> _nodes = [];
    private readonly List<Tensor> _inputs = [];
    private readonly List<Weight> _weights = [];
    private readonly List<Tensor> _outputs = [];
    private readonly Dictionary<Tensor, byte[]> _constants = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    // Equal nodes are made once: backward graphs then use what the forward graph computed.
    private readonly Dictionary<string, Tensor[]> _known = new(StringComparer.Ordinal);

    // Where the runtime size of a symbolic dimension can be read: an axis of a tensor.
    private readonly Dictionary<string, (Tensor Tensor, int Axis)> _symbols = new(StringComparer.Ordinal);
    private Tensor? _trainingMode;
    private int _ids;
    private int _generatedNames;

    /// <summary>An empty graph.</summary>
    /// <param name="name">Name of the graph, kept in a saved model.</param>
    /// <param name="type">Type of its weights: <see cref="ElementType.Float"/> or <see cref="ElementType.Double"/>.</param>
    /// <exception cref="ArgumentException">The type is neither.</exception>
    public Graph(string name, ElementType type = ElementType.Float)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!type.IsReal())
        {
            throw new ArgumentException($"A graph computes in Float or Double, not {type}.", nameof(type));
        }

        (Name, Type) = (name, type);
    }

    /// <summary>Name of the graph.</summary>
    public string Name { get; }

    /// <summary>Type of its weights.</summary>
    public ElementType Type { get; }

    /// <summary>Its nodes so far, each after those it depends on.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>Its inputs, in the order of their declaration.</summary>
    public IReadOnlyList<Tensor> Inputs => _inputs;

    /// <summary>Its weights, in the order of their declaration.</summary>
    public IReadOnlyList<Weight> Weights => _weights;

    /// <summary>The tensors declared by <see cref="Output"/>, in that order.</summary>
    public IReadOnlyList<Tensor> Outputs => _outputs;

    /// <summary>Declares an input.</summary>
    /// <param name="name">Name under which values are fed.</param>
    /// <param name="type">Type of its elements.</param>
    /// <param name="dimensions">
    /// Its shape: a number where fixed, a name such as "batch" where it varies between runs. One name means one size
    /// in all inputs of a run.
    /// </param>
    /// <exception cref="ArgumentException">The name is taken, or a dimension is below 1.</exception>
    public Tensor Input(string name, ElementType type, params Dimension[] dimensions)
    {
        Shape shape = Declare(name, dimensions);
        Tensor input = new(this, _ids++, name, type, shape, producer: null);
        _inputs.Add(input);
        KnowSymbols(input);
        return input;
    }

    /// <summary>Declares a weight of the graph's element type.</summary>
    /// <param name="name">Its name, also in checkpoints.</param>
    /// <param name="shape">Its sizes; empty for a scalar.</param>
    /// <param name="initial">Its first values; random ones are drawn on first use.</param>
    /// <param name="trainable">False for a frozen weight.</param>
    /// <exception cref="ArgumentException">The name is taken, a size is below 1, or given values do not fit.</exception>
    public Weight Weight(string name, IReadOnlyList<long> shape, Initial initial, bool trainable = true)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(initial);
        Shape declared = Declare(name, [.. shape.Select(Dimension.FromInt64)]);
        Weight weight = new(this, _ids++, name, Type, declared, initial.For(name, Type, [.. shape]), trainable);
        _weights.Add(weight);
        return weight;
    }

    /// <summary>A scalar constant of the graph's element type, or of another.</summary>
    public Tensor Constant(double value, ElementType? type = null) => (type ?? Type) switch
    {
        ElementType.Float => Constant<float>([(float)value]),
        ElementType.Double => Constant<double>([value]),
        ElementType.Int64 => Constant<long>([checked((long)value)]),
        ElementType.Int32 => Constant<int>([checked((int)value)]),
        ElementType other => throw new ArgumentException($"There are no constants of type {other}.", nameof(type)),
    };

    /// <summary>A constant.</summary>
    /// <param name="values">Its values, row-major: float, double, long, int, byte or bool.</param>
    /// <param name="shape">Its sizes; none for a scalar.</param>
    /// <exception cref="ArgumentException">The number of values is not that of the shape, or their type is none of those.</exception>
    public Tensor Constant<T>(ReadOnlySpan<T> values, params ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        ElementType type = ElementTypes.Of(typeof(T));
        Shape declared = new([.. shape]);
        if (declared.Elements != values.Length)
        {
            throw new ArgumentException($"Constant: got {values.Length} values for shape {declared}.", nameof(values));
        }

        byte[] bytes = MemoryMarshal.AsBytes(values).ToArray();

        // Small constants recur (scalars, axes); large ones do not and would make long keys.
        string? key = bytes.Length <= 64 ? $"{type} {declared} {Convert.ToHexString(bytes)}" : null;
        if (key is not null && _known.TryGetValue(key, out Tensor[]? known))
        {
            return known[0];
        }

        Tensor constant = new(this, _ids++, NewName("Constant"), type, declared, producer: null);
        _constants.Add(constant, bytes);
        if (key is not null)
        {
            _known.Add(key, [constant]);
        }

        return constant;
    }

    /// <summary>Declares that a tensor is read from outside, and gives it a name for that.</summary>
    /// <param name="name">Name of the output in a saved model.</param>
    /// <param name="tensor">The tensor, which must be the result of an operator and not have been named before.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The name is taken, or the tensor has been named before.</exception>
    public Tensor Output(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        RequireMine(tensor, nameof(tensor));
        Tensor output = tensor.Producer is null || Outputs.Contains(tensor)
            ? EmitNew("Identity", [tensor], tensor.Type, tensor.Shape).Differentiate((tensor, g => g))
            : tensor;
        TakeName(name);
        output.Name = name;
        _outputs.Add(output);
        return output;
    }

    /// <summary>Adds a node with one result, or finds the equal one that is there.</summary>
    internal Tensor Emit(string operation, Tensor[] inputs, ElementType type, Shape shape, params (string Name, object Value)[] attributes) =>
        Emit(operation, inputs, [(type, shape)], attributes)[0];

    /// <summary>Adds a node, or finds the equal one that is there.</summary>
    internal Tensor[] Emit(
        string operation, Tensor[] inputs, (ElementType Type, Shape Shape)[] outputs, params (string Name, object Value)[] attributes)
    {
        StringBuilder key = new(operation);
        foreach (Tensor input in inputs)
        {
            key.Append(CultureInfo.InvariantCulture, $" {input.Id}");
        }

        foreach ((string name, object value) in attributes)
        {
            key.Append(CultureInfo.InvariantCulture, $" {name}={(value is long[] numbers ? string.Join(',', numbers) : value)}");
        }

        key.Append(CultureInfo.InvariantCulture, $" {outputs.Length}");
        if (!_known.TryGetValue(key.ToString(), out Tensor[]? known))
        {
            known = EmitNew(operation, inputs, outputs, attributes);
            _known.Add(key.ToString(), known);
        }

        return known;
    }

    /// <summary>Adds a node even where an equal one is there: for random numbers, and for tensors that differ in their gradient.</summary>
    internal Tensor EmitNew(string operation, Tensor[] inputs, ElementType type, Shape shape, params (string Name, object Value)[] attributes) =>
        EmitNew(operation, inputs, [(type, shape)], attributes)[0];

    internal Tensor[] EmitNew(
        string operation, Tensor[] inputs, (ElementType Type, Shape Shape)[] outputs, params (string Name, object Value)[] attributes)
    {
        foreach (Tensor input in inputs)
        {
            RequireMine(input, nameof(inputs));
        }

        Node node = new(operation, inputs, attributes);
        Tensor[] results = [.. outputs.Select(o => new Tensor(this, _ids++, NewName(operation), o.Type, o.Shape, node))];
        node.Outputs = results;
        _nodes.Add(node);
        Array.ForEach(results, KnowSymbols);
        return results;
    }

    /// <summary>An input that the library feeds itself, such as an optimiser's state.</summary>
    internal Tensor HiddenInput(string name, ElementType type, Shape shape) =>
        new(this, _ids++, NewName(name), type, shape, producer: null);

    /// <summary>A boolean scalar that is true in models that train and false in others.</summary>
    internal Tensor TrainingMode() =>
        _trainingMode ??= new Tensor(this, _ids++, NewName("training"), ElementType.Bool, Shape.Scalar, producer: null);

    /// <summary>A vector of whole numbers.</summary>
    internal Tensor Vector(params ReadOnlySpan<long> values) => Constant(values, values.Length);

    /// <summary>The sizes of a shape as a vector of Int64, read at run time where they vary.</summary>
    internal Tensor SizesOf(Shape shape)
    {
        if (shape.IsFixed)
        {
            return Vector(shape.ToSizes());
        }

        Tensor[] sizes = [.. shape.Select(SizeOf)];
        return sizes.Length == 1 ? sizes[0] : Emit("Concat", sizes, ElementType.Int64, new Shape(sizes.Length), ("axis", 0));
    }

    /// <summary>The size of a dimension as a vector of one Int64.</summary>
    internal Tensor SizeOf(Dimension dimension)
    {
        if (dimension.IsFixed)
        {
            return Vector(dimension.Size);
        }

        Tensor? product = null;
        foreach (string symbol in dimension.Symbols)
        {
            (Tensor tensor, int axis) = _symbols[symbol];
            Tensor size = Emit("Shape", [tensor], ElementType.Int64, new Shape(1), ("start", axis), ("end", axis + 1));
            product = product is null ? size : Emit("Mul", [product, size], ElementType.Int64, new Shape(1));
        }

        return dimension.Factor == 1 ? product! : Emit("Mul", [product!, Vector(dimension.Factor)], ElementType.Int64, new Shape(1));
    }

    /// <summary>A symbol for a size that is none of the declared ones' products.</summary>
    internal Dimension NewSymbol()
    {
        string name = NewName("size");
        return name;
    }

    internal void RequireMine(Tensor tensor, string name)
    {
        if (tensor.Graph != this)
        {
            throw new ArgumentException($"Tensor '{tensor.Name}' belongs to graph '{tensor.Graph.Name}', not to '{Name}'.", name);
        }
    }

    private Shape Declare(string name, Dimension[] dimensions)
    {
        Dimension bad = dimensions.FirstOrDefault(d => d.Factor < 1);
        if (dimensions.Any(d => d.Factor < 1))
        {
            throw new ArgumentException($"'{name}' has a dimension of {bad}, expected at least 1.", nameof(dimensions));
        }

        TakeName(name);
        return new Shape(dimensions);
    }

    private void TakeName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!_names.Add(name))
        {
            throw new ArgumentException($"The name '{name}' is taken in graph '{Name}': give every input, weight and output its own.", nameof(name));
        }
    }

    private string NewName(string prefix)
    {
        string name;
        do
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{prefix}_{_generatedNames++}");
        }
        while (!_names.Add(name));
        return name;
    }

    private void KnowSymbols(Tensor tensor)
    {
        for (int axis = 0; axis < tensor.Rank; axis++)
        {
            if (tensor.Shape[axis] is { Factor: 1, Symbols: [string symbol] })
            {
                _symbols.TryAdd(symbol, (tensor, axis));
            }
        }
    }
}
