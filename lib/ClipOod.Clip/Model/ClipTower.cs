using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>A transformer of CLIP with its weights: what the image tower and the text towers have in common.</summary>
public abstract class ClipTower
{
    private readonly SortedDictionary<string, Weight> _weights = new(StringComparer.Ordinal);
    private readonly string _blocks;
    private readonly ClipTransformerSizes _sizes;

    private protected ClipTower(
        Graph graph, ClipConfig config, string prefix, IEnumerable<(string Name, int[] Shape)> tensors, ClipTransformerSizes sizes, string blocks, Func<string, int[], Initial> initial)
    {
        (Graph, Config, _sizes, _blocks, Prefix) = (graph, config, sizes, blocks, prefix);
        foreach ((string name, int[] shape) in tensors)
        {
            _weights.Add(name, graph.Weight(prefix + name, [.. shape.Select(size => (long)size)], initial(name, shape)));
        }
    }

    /// <summary>The graph that its weights belong to.</summary>
    public Graph Graph { get; }

    /// <summary>The model's sizes and activation.</summary>
    public ClipConfig Config { get; }

    /// <summary>Its weights by OpenAI's names, sorted.</summary>
    public IReadOnlyDictionary<string, Weight> Weights => _weights;

    /// <summary>What its weights' names in the graph begin with, beside OpenAI's names.</summary>
    internal string Prefix { get; }

    /// <summary>Says whether trainers made from now on learn it; a frozen tower gets no backward nodes of its weights.</summary>
    /// <param name="trainable">False to freeze it.</param>
    public void SetTrainable(bool trainable)
    {
        foreach (Weight weight in _weights.Values)
        {
            weight.Trainable = trainable;
        }
    }

    private protected Tensor Norm(string name, Tensor x) =>
        Op.LayerNorm(x, _weights[$"{name}.weight"], _weights[$"{name}.bias"], Config.LayerNormEpsilon);

    /// <summary>The residual blocks on tokens (batch, length, width); the mask is added to the attention's logits.</summary>
    private protected Tensor Transform(Tensor x, Tensor? mask = null) =>
        Enumerable.Range(0, _sizes.Layers).Aggregate(x, (tokens, layer) => Transform(tokens, layer, mask));

    /// <summary>
    /// The residual blocks, the last one for a single token of each row: the block looks at all tokens, but asks and thinks for that one.
    /// </summary>
    /// <param name="x">The tokens, shape (batch, length, width).</param>
    /// <param name="pick">Takes the token out of tokens: shape (batch, 1, width).</param>
    /// <param name="mask">The mask of the blocks before the last.</param>
    /// <param name="lastMask">The token's own mask.</param>
    private protected Tensor TransformOne(Tensor x, Func<Tensor, Tensor> pick, Tensor? mask = null, Tensor? lastMask = null)
    {
        x = BeforeLast(x, mask);
        string block = Block(_sizes.Layers - 1);
        Tensor seen = Norm($"{block}.ln_1", x);
        Tensor[] keysAndValues = Heads(Project(block, seen, 1..3), 2);
        Tensor query = Heads(Project(block, pick(seen), 0..1), 1)[0];
        return FeedForward(block, pick(x) + Attend(block, query, keysAndValues[0], keysAndValues[1], lastMask));
    }

    /// <summary>The residual blocks, in the last of which each token attends to itself alone; for the tokens that are picked.</summary>
    private protected Tensor TransformApart(Tensor x, Func<Tensor, Tensor> pick)
    {
        x = pick(BeforeLast(x, null));
        string block = Block(_sizes.Layers - 1);
        return FeedForward(block, x + Linear($"{block}.attn.out_proj", Project(block, Norm($"{block}.ln_1", x), 2..3)));
    }

    private Tensor BeforeLast(Tensor x, Tensor? mask) =>
        Enumerable.Range(0, _sizes.Layers - 1).Aggregate(x, (tokens, layer) => Transform(tokens, layer, mask));

    private Tensor Transform(Tensor x, int layer, Tensor? mask)
    {
        string block = Block(layer);
        Tensor[] qkv = Heads(Project(block, Norm($"{block}.ln_1", x), 0..3), 3);
        return FeedForward(block, x + Attend(block, qkv[0], qkv[1], qkv[2], mask));
    }

    private string Block(int layer) => $"{_blocks}transformer.resblocks.{layer}";

    private Tensor Linear(string name, Tensor x) => Op.Linear(x, _weights[$"{name}.weight"], _weights[$"{name}.bias"], transposed: true);

    private Tensor FeedForward(string block, Tensor x)
    {
        Tensor hidden = Linear($"{block}.mlp.c_fc", Norm($"{block}.ln_2", x));
        return x + Linear($"{block}.mlp.c_proj", Config.Activation == ClipActivation.QuickGelu ? hidden.QuickGelu() : hidden.Gelu());
    }

    /// <summary>Some of queries, keys and values (parts 0 to 3), side by side: shape (batch, length, parts · width).</summary>
    private Tensor Project(string block, Tensor x, Range parts)
    {
        Range rows = (parts.Start.Value * _sizes.Width)..(parts.End.Value * _sizes.Width);
        Tensor part(string name) => _weights[$"{block}.attn.in_proj_{name}"].Slice(0, rows);
        return Op.Linear(x, part("weight"), part("bias"), transposed: true);
    }

    /// <summary>Parts that lie side by side, each of the shape (batch, heads, length, width of a head).</summary>
    private Tensor[] Heads(Tensor x, int parts) =>
    [
        .. x.Reshape(x.Shape[0], x.Shape[1], parts, _sizes.Heads, _sizes.Width / _sizes.Heads)
            .Transpose(2, 0, 3, 1, 4)
            .Split(0, parts)
            .Select(part => part.Squeeze(0)),
    ];

    private Tensor Attend(string block, Tensor query, Tensor key, Tensor value, Tensor? mask)
    {
        Tensor logits = (query * (1 / Math.Sqrt(query.Shape[-1].Size))).MatMul(key.SwapLastAxes());
        Tensor mixed = (mask is null ? logits : logits + mask).Softmax().MatMul(value);
        return Linear($"{block}.attn.out_proj", mixed.Transpose(0, 2, 1, 3).Reshape(query.Shape[0], query.Shape[2], _sizes.Width));
    }
}

/// <summary>The image tower: patches and a class token through a transformer (Radford et al. 2021).</summary>
public sealed class ClipImageTower : ClipTower
{
    internal ClipImageTower(Graph graph, ClipConfig config, Func<string, int[], Initial> initial)
        : base(graph, config, "", ClipLayouts.VisionTensors(config), config.Vision, "visual.", initial)
    {
    }

    /// <summary>Normalises colours per channel, as the preprocessing does: for graphs that start at pixels, such as attacks.</summary>
    /// <param name="rgb">Shape (batch, 3, height, width), red, green and blue on the scale [0, 1].</param>
    public Tensor Normalize(Tensor rgb)
    {
        ArgumentNullException.ThrowIfNull(rgb);
        Tensor perChannel(IEnumerable<double> values) => Graph.Constant<float>([.. values.Select(v => (float)v)], 3, 1, 1);
        return (rgb - perChannel(Config.ImageMean)) / perChannel(Config.ImageStandardDeviation);
    }

    /// <summary>The tokens after the last block.</summary>
    /// <param name="pixels">Normalised images, shape (batch, 3, size, size).</param>
    /// <returns>Shape (batch, 1 + patches, width): the class token, then the patches row by row.</returns>
    /// <exception cref="ArgumentException">The images are of another shape.</exception>
    public Tensor Tokens(Tensor pixels) => Transform(Embed(pixels));

    /// <summary>The features before the projection, which linear probes use (PLP, arXiv 2303.05828).</summary>
    /// <param name="pixels">Normalised images, shape (batch, 3, size, size).</param>
    /// <returns>Shape (batch, width).</returns>
    /// <exception cref="ArgumentException">The images are of another shape.</exception>
    public Tensor Pool(Tensor pixels) => Norm("visual.ln_post", TransformOne(Embed(pixels), tokens => tokens.Slice(1, 0..1)).Squeeze(1));

    /// <summary>
    /// The local features of GL-MCM (arXiv 2304.04521), not normalised: patches whose last block passes on their own values instead of
    /// those that they attend to, in the space of <see cref="Encode"/>, where texts lie too.
    /// </summary>
    /// <param name="pixels">Normalised images, shape (batch, 3, size, size).</param>
    /// <returns>Shape (batch, patches, embedding width), patches row by row.</returns>
    /// <exception cref="ArgumentException">The images are of another shape.</exception>
    public Tensor Locals(Tensor pixels) =>
        Norm("visual.ln_post", TransformApart(Embed(pixels), tokens => tokens.Slice(1, 1..))).MatMul(Weights["visual.proj"]);

    /// <summary>The features, not normalised.</summary>
    /// <param name="pixels">Normalised images, shape (batch, 3, size, size).</param>
    /// <returns>Shape (batch, embedding width).</returns>
    /// <exception cref="ArgumentException">The images are of another shape.</exception>
    public Tensor Encode(Tensor pixels) => Pool(pixels).MatMul(Weights["visual.proj"]);

    private Tensor Embed(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (!pixels.Shape.Equals(new Shape(pixels.Shape[0], 3, Config.ImageSize, Config.ImageSize)))
        {
            throw new ArgumentException($"Images of shape {pixels.Shape} do not fit the model: expected (batch, 3, {Config.ImageSize}, {Config.ImageSize}).", nameof(pixels));
        }

        Tensor patches = Op.PatchEmbedding(pixels, Weights["visual.conv1.weight"]);
        Tensor first = Weights["visual.class_embedding"].Reshape(1, 1, Config.Vision.Width).BroadcastTo(pixels.Shape[0], 1, Config.Vision.Width);
        return Norm("visual.ln_pre", Op.Concat(1, first, patches) + Weights["visual.positional_embedding"]);
    }
}

/// <summary>The text tower: tokens through a causal transformer, read at the end token (Radford et al. 2021).</summary>
public sealed class ClipTextTower : ClipTower
{
    internal ClipTextTower(Graph graph, ClipConfig config, Func<string, int[], Initial> initial, string prefix = "")
        : base(graph, config, prefix, ClipLayouts.TextTensors(config), config.Text, "", initial)
    {
    }

    /// <summary>The features, not normalised.</summary>
    /// <param name="ids">
    /// Token numbers, Int64, shape (batch, length) with a length up to the context length; the end token, where the feature is read, has
    /// the largest number of its row. What follows it has no influence, so that rows can be cut after the last end token.
    /// </param>
    /// <param name="prompt">
    /// Added to the token and position embeddings, shape (context length, width) or (batch, context length, width): CLIPN's prompt. It needs
    /// a length that is the context length.
    /// </param>
    /// <returns>Shape (batch, embedding width).</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public Tensor Encode(Tensor ids, Tensor? prompt = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (ids.Rank != 2 || (ids.Shape[1].IsFixed && ids.Shape[1].Size > Config.ContextLength))
        {
            throw new ArgumentException($"Token numbers of shape {ids.Shape} do not fit: expected (batch, length) with a length up to {Config.ContextLength}.", nameof(ids));
        }

        Tensor order = ids.Indices(1);
        Tensor x = Weights["token_embedding.weight"].Gather(ids) + Weights["positional_embedding"].Gather(order);
        if (prompt is not null)
        {
            x = x + prompt;
        }

        // A token sees itself and those before it; the feature is read at the end token.
        Tensor ends = ids.ArgMax(-1, keepDims: true);
        Tensor mask(Tensor later) => Op.Where(later, Graph.Constant(double.NegativeInfinity), Graph.Constant(0));
        Tensor causal = mask(Op.Greater(order.Unsqueeze(0), order.Unsqueeze(1)));
        Tensor afterEnd = mask(Op.Greater(order, ends)).Unsqueeze(1).Unsqueeze(1);

        // Picked by a product so that its gradient is one too.
        Tensor isEnd = Op.Equal(ends, order).Cast(Graph.Type).Unsqueeze(1);
        Tensor end = TransformOne(x, isEnd.MatMul, causal, afterEnd).Squeeze(1);
        return Norm("ln_final", end).MatMul(Weights["text_projection"]);
    }
}
