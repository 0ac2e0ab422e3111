// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/source.hpp>

using namespace tomo;

namespace {

class Metaballs final : public Source {
  public:
    static constexpr Info info{
        .task = "metaballs",
        .klass = "Source",
        .blurb = "Moving blobs as test pictures: 1 inside of a blob, 0 outside",
        .in = formats::float32,
        .details =
            "A pixel is inside where the sum over all balls of size / distance is above 1, with the "
            "distance of the pixel's centre from the ball's. Sizes are between 1 and 5 % of the width. In "
            "each frame, balls move by up to 4 pixels along either axis, and turn back when they have "
            "left the image. All images follow from `seed`, by the generator SplitMix64 (Steele, Lea, "
            "Flood, OOPSLA 2014).",
        .example =
            "tomometaballs width=320 height=240 number-balls=12 number=5 ! tomowrite filename=balls.tif",
    };

    Property<unsigned> width{this, "width", 512, {1, 32768}, When::ready, "Columns"};
    Property<unsigned> height{this, "height", 512, {1, 32768}, When::ready, "Rows"};
    Property<unsigned> number_balls{this, "number-balls", 1, {1, 256}, When::ready, "Balls"};
    Property<unsigned> number{this, "number", 1, {1, G_MAXUINT}, When::ready, "Images"};
    Property<std::uint64_t> seed{this, "seed", 0, When::ready, "Another one gives other balls"};

    void prepare() override { kernel("metaballs"); }
    std::optional<std::uint64_t> frame_count() override { return number.value(); }

    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        if (n >= number)
            return {};
        return ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height);
    }

    Array frame(std::uint64_t n, const ArrayInfo &info) override {
        if (balls_->empty() || n < moves_)
            throw_balls();
        for (; moves_ < n; moves_++)
            move();
        std::vector<float> table;
        for (const auto &ball : *balls_)
            table.insert(table.end(), {float(ball.x), float(ball.y), float(ball.size)});
        Array out = allocate(info);
        launch(kernel("metaballs"), WorkSize(info), out, BareBuffer{upload(table)}, cl_uint{number_balls});
        return out;
    }

  private:
    struct Ball {
        double size, x, y, vx, vy;
    };

    double random(double from, double to) {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return from + (to - from) * static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
    }

    void throw_balls() {
        state_ = seed;
        moves_ = 0;
        balls_->resize(number_balls);
        for (auto &ball : *balls_) {
            ball.size = random(0.01 * width, 0.05 * width);
            ball.x = random(0.0, width);
            ball.y = random(0.0, height);
            ball.vx = random(-4.0, 4.0);
            ball.vy = random(-4.0, 4.0);
        }
    }

    void move() {
        for (auto &ball : *balls_) {
            ball.x += ball.vx;
            ball.y += ball.vy;
            if (ball.x < 0.0 || ball.x > width)
                ball.vx = -ball.vx;
            if (ball.y < 0.0 || ball.y > height)
                ball.vy = -ball.vy;
        }
    }

    std::uint64_t state_ = 0, moves_ = 0;
    UntilStop<std::vector<Ball>> balls_{this};
};

} // namespace

TOMO_ELEMENT(Metaballs)
